import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Missing } from '../../contract/index.ts';
import { PetriError } from '../../errors.ts';
import { Supervisor } from '../process/index.ts';

/** The programs that change images, and the Debian package of each. */
const packages = {
  debugfs: 'e2fsprogs',
  mke2fs: 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  resize2fs: 'e2fsprogs',
  cp: 'coreutils',
} as const;

export type ImageTool = keyof typeof packages;

/** Where Debian installs them; an ordinary user's PATH does not include these folders. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Bytes of output that are kept; the tools print much less, unless a hostile image makes them. */
const OUTPUT_LIMIT = 8 * 1024 * 1024;

/** Milliseconds after which a tool is considered hung: a hostile image may cause that. */
const TOOL_LIMIT = 10 * 60_000;

/** The programs for changing images that are missing on this host, with the Debian packages to install. */
export async function probeImageTools(): Promise<Missing[]> {
  const tools = Object.keys(packages) as ImageTool[];
  const found = await Promise.all(tools.map(async (tool) => ({ tool, path: await findTool(tool) })));
  return found
    .filter(({ path }) => path === undefined)
    .map(({ tool }) => ({ what: `the program ${tool}`, remedy: installation(tool) }));
}

export interface ToolRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly cwd: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs a tool to its end, whatever its exit code.
 *
 * @throws PetriError `tool-missing`, `tool-failed` if a signal ends it or it prints too much, `interrupted`
 */
export async function runTool(tool: ImageTool, args: readonly string[], options: ToolOptions): Promise<ToolRun> {
  throwIfAborted(tool, options.signal);
  const command = await findTool(tool);
  if (command === undefined) {
    throw new PetriError(`the program ${tool}, which changes images, is not installed`, {
      code: 'tool-missing',
      step: 'artifact',
      remedy: installation(tool),
    });
  }
  const supervisor = await Supervisor.open();
  const child = await supervisor.spawn({
    name: tool,
    command,
    args,
    cwd: options.cwd,
    stdin: 'ignore',
    // Messages are parsed, so they must be untranslated and not go through a pager.
    env: { LC_ALL: 'C', DEBUGFS_PAGER: '__none__' },
  });
  let end: string | undefined;
  const stop = (why: string): void => {
    end ??= why;
    void child.stop({ graceMs: 0 });
  };
  const onAbort = (): void => {
    stop('interrupted');
  };
  const timer = setTimeout(stop, TOOL_LIMIT, `it did not end within ${String(TOOL_LIMIT / 60_000)} minutes`);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted === true) onAbort();
  try {
    const overflow = (): void => {
      stop(`it printed more than ${OUTPUT_LIMIT.toLocaleString('en')} bytes`);
    };
    const stdout = collect(child.stdout, overflow);
    const stderr = collect(child.stderr, overflow);
    const exit = await child.exited;
    if (end === 'interrupted') throwIfAborted(tool, options.signal);
    if (end !== undefined || exit.code === undefined) throw toolFailed(tool, end ?? `it ${exit.describe()}`, stderr());
    return { code: exit.code, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** @throws PetriError `interrupted` */
export function throwIfAborted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new PetriError(`changing an image was aborted at ${what}`, {
    code: 'interrupted',
    step: 'artifact',
    cause: signal.reason,
  });
}

/** An error of a tool, with the end of its output. */
export function toolFailed(tool: ImageTool, why: string, output: string): PetriError {
  const said = output.trim().slice(-4000).split('\n').slice(-20);
  return new PetriError(`${tool} failed: ${why}`, {
    code: 'tool-failed',
    step: 'artifact',
    details: said.flatMap((line) => (line === '' ? [] : [`  | ${line}`])),
    remedy: 'see what it said; the image it worked on was not kept',
  });
}

async function findTool(tool: ImageTool): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, ...SYSTEM_FOLDERS]) {
    const path = join(folder, tool);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // It is not executable there.
  }
}

function installation(tool: ImageTool): string {
  return `install it: sudo apt-get install ${packages[tool]}`;
}

/** Collects the output of a stream, up to the limit. */
function collect(stream: Readable, overflow: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) chunks.push(chunk);
    else overflow();
  });
  return () => Buffer.concat(chunks).toString();
}
