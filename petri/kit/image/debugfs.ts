import { PetriError } from '../../errors.ts';
import { invalid } from './invalid.ts';
import { toolFailed } from './tools.ts';
import { IMAGE, type Workspace } from './workspace.ts';

/** Type and attributes of a path in an image. */
export interface GuestFile {
  readonly type: string;
  /** Permission bits. */
  readonly mode: number;
  readonly user: number;
  readonly group: number;
  readonly size: number;
  /** Flags of the inode (`EXT4_*_FL`). */
  readonly flags: number;
}

/** A quoted word of a debugfs command; a doubled quote stands for a quote. */
export function word(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/**
 * Runs commands that print nothing if they succeed. debugfs always exits with 0, so any output other than that of a
 * success is an error.
 *
 * @throws PetriError `tool-failed`
 */
export async function change(workspace: Workspace, commands: readonly string[]): Promise<void> {
  await run(workspace, commands, ['-w'], (lines) => lines.filter((line) => !/^(?:Allocated inode: \d+)?$/.test(line)));
}

/** Runs commands that only read, and print nothing if they succeed. @throws PetriError `tool-failed` */
export async function read(workspace: Workspace, commands: readonly string[]): Promise<void> {
  await run(workspace, commands, [], (lines) => lines.filter((line) => line !== ''));
}

async function run(
  workspace: Workspace,
  commands: readonly string[],
  flags: readonly string[],
  unexpected: (lines: readonly string[]) => string[],
): Promise<void> {
  const script = await workspace.file(`${commands.join('\n')}\n`);
  const { code, stdout, stderr } = await workspace.run('debugfs', [...flags, '-f', script, IMAGE]);
  const lines = stdout.split('\n').map((line) => line.trimEnd());
  // Every command that runs is echoed.
  const others: string[] = [];
  let next = 0;
  for (const line of lines) {
    if (next < commands.length && line === `debugfs: ${commands[next] ?? ''}`) next += 1;
    else others.push(line);
  }
  const faults = [...errorsOf(stderr), ...unexpected(others)];
  if (code === 0 && next === commands.length && faults.length === 0) return;
  throw toolFailed('debugfs', `exit code ${String(code)}, not all of its commands succeeded`, faults.join('\n'));
}

/**
 * The attributes of paths in an image; missing paths are not in the result. debugfs follows symbolic links in parent
 * folders, so callers must inspect every parent too.
 *
 * @throws PetriError `image-invalid` if the image makes the answer ambiguous, `tool-failed`
 */
export async function inspect(
  workspace: Workspace,
  image: string,
  paths: readonly string[],
): Promise<Map<string, GuestFile>> {
  const commands = paths.map((path) => `stat ${word(path)}`);
  const script = await workspace.file(`${commands.join('\n')}\n`);
  const { code, stdout, stderr } = await workspace.run('debugfs', ['-f', script, IMAGE]);
  const lines = stdout.split('\n');
  const found = new Map<string, GuestFile>();
  for (const [at, path] of paths.entries()) {
    const echo = `debugfs: ${commands[at] ?? ''}`;
    const index = lines.indexOf(echo);
    if (index === -1) throw toolFailed('debugfs', `exit code ${String(code)}, it did not process ${path}`, stderr);
    // The target of a symbolic link is printed unescaped: it could fake the output for later paths.
    if (lines.lastIndexOf(echo) !== index) throw invalid(image, `it describes ${path} twice`);
    const file = parseStat(lines.slice(index + 1, index + 4));
    if (file !== undefined) found.set(path, file);
  }
  const faults = errorsOf(stderr).filter((line) => !isAbsence(line));
  if (code !== 0 || faults.length > 0) throw toolFailed('debugfs', `exit code ${String(code)}`, faults.join('\n'));
  return found;
}

/** Parses the first three lines of `stat`. */
function parseStat(lines: readonly string[]): GuestFile | undefined {
  const [first = '', , third = ''] = lines;
  const kind = /^Inode: \d+ +Type: (.+?) +Mode: +([0-7]+) +Flags: 0x([0-9a-f]+)$/.exec(first.trimEnd());
  if (kind === null) return undefined;
  const owner = /^User: +(\d+) +Group: +(\d+)(?: +Project: +\d+)? +Size: +(\d+)$/.exec(third.trimEnd());
  if (owner === null) {
    throw new PetriError(`debugfs describes a file in an unknown format: ${JSON.stringify(third)}`, {
      code: 'tool-failed',
      step: 'artifact',
    });
  }
  return {
    type: kind[1] ?? '',
    mode: Number.parseInt(kind[2] ?? '', 8),
    user: Number(owner[1]),
    group: Number(owner[2]),
    size: Number(owner[3]),
    flags: Number.parseInt(kind[3] ?? '', 16),
  };
}

/** The standard error of debugfs without its name and version. */
function errorsOf(stderr: string): string[] {
  return stderr
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^debugfs \d[\w.-]* \([\w-]+\)$/.test(line));
}

function isAbsence(line: string): boolean {
  return /File not found by ext2_lookup|Ext2 inode is not a directory/.test(line);
}
