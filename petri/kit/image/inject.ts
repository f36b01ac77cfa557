import { PetriError } from '../../errors.ts';
import { check, repair } from './check.ts';
import { change, inspect, word, type GuestFile } from './debugfs.ts';
import { digestOf } from './digest.ts';
import { dump } from './dump.ts';
import { refuseCasefolded, refuseEncrypted } from './encoded.ts';
import { refuseChanges, refuseGrowth } from './features.ts';
import { splitGuestPath } from './guest-path.ts';
import { bytesLacking, ensureSpace } from './space.ts';
import { stage, type StagedFile } from './staged-file.ts';
import { invalid } from './invalid.ts';
import { readSuperblock } from './superblock.ts';
import type { ImageOptions, InjectedFile, InjectedFileReport } from './types.ts';
import { Workspace } from './workspace.ts';

/** Bytes that stay free for the guest unless specified otherwise. */
const SPARE = 16 * 1024 * 1024;

/** The type of a regular file in a mode (inode(7), `S_IFREG`). */
const REGULAR = 0o100000;

export interface InjectOptions extends ImageOptions {
  /**
   * Bytes that stay free for the guest, in addition to the injected files.
   *
   * @default 16 MiB
   */
  readonly spare?: number;
}

/**
 * Writes files into an image, in place and without root: repairs the file system if its journal requires it, grows it
 * if there is not enough space, writes, reads everything back and compares it, and checks the file system. What was at
 * a file's path is replaced, unless it is a folder; a symbolic link is replaced and never followed. If it throws, do
 * not use the image.
 *
 * @throws PetriError `invalid-option` for paths that clash with each other or with the image, `artifact-missing` for a
 *   source that cannot be read, `image-invalid`, `image-full`, `tool-missing`, `tool-failed`, `interrupted`
 */
export async function injectFiles(
  image: string,
  files: readonly InjectedFile[],
  options: InjectOptions = {},
): Promise<readonly InjectedFileReport[]> {
  const folders = foldersOf(files);
  const superblock = await readSuperblock(image);
  refuseChanges(image, superblock);
  return Workspace.with(image, options.signal, async (workspace) => {
    const staged: StagedFile[] = [];
    for (const file of files) staged.push(await stage(workspace, file));
    const sizes = staged.map(({ size }) => size);
    const spare = options.spare ?? SPARE;
    const lacking = bytesLacking(superblock, { sizes, newFolders: 0, spare });
    if (lacking > 0) refuseGrowth(image, superblock, lacking);
    await repair(workspace, image);
    const there = await inspect(workspace, image, ['/', ...folders, ...files.map(({ path }) => path)]);
    const newFolders = folders.filter((folder) => !there.has(folder));
    refuseClashes(there, folders, staged);
    refuseEncrypted(image, there);
    refuseCasefolded(image, there);
    await ensureSpace(workspace, image, { sizes, newFolders: newFolders.length, spare });
    await change(workspace, [...newFolders.flatMap(mkdir), ...staged.flatMap((file) => write(file, there))]);
    // debugfs does not update quota usage; e2fsck does, and repairs nothing that is unsafe.
    if (superblock.features.has('quota')) await repair(workspace, image);
    await verify(workspace, image, staged);
    await check(workspace, image);
    return staged.map(({ path, size, sha256 }) => ({ path, size, sha256 }));
  });
}

/** All parent folders of the files, outermost first. */
function foldersOf(files: readonly InjectedFile[]): string[] {
  const folders = new Set<string>();
  const paths = new Set<string>();
  for (const { path } of files) {
    if (paths.has(path)) throw clash(`${JSON.stringify(path)} is given twice`);
    paths.add(path);
    for (const folder of splitGuestPath(path).folders) folders.add(folder);
  }
  for (const folder of folders) {
    if (paths.has(folder)) throw clash(`${JSON.stringify(folder)} is given as a file, and as a folder of another`);
  }
  return [...folders];
}

function refuseClashes(
  there: ReadonlyMap<string, GuestFile>,
  folders: readonly string[],
  files: readonly StagedFile[],
): void {
  for (const folder of folders) {
    const type = there.get(folder)?.type;
    if (type === undefined || type === 'directory') continue;
    const what = type === 'symlink' ? 'a symbolic link, which is not followed' : `no folder but of type ${type}`;
    throw clash(`${JSON.stringify(folder)} in the image is ${what}`);
  }
  for (const { path } of files) {
    if (there.get(path)?.type === 'directory') throw clash(`${JSON.stringify(path)} in the image is a folder`);
  }
}

function clash(why: string): PetriError {
  return new PetriError(`files cannot be put into the image: ${why}`, {
    code: 'invalid-option',
    step: 'artifact',
    remedy: 'give each file a path of its own, in real folders of the image',
  });
}

/** Commands are run in the parent folder with a plain name: whole paths mean different things in different versions. */
function enter(path: string): { readonly command: string; readonly name: string } {
  const { folders, name } = splitGuestPath(path);
  return { command: `cd ${word(folders.at(-1) ?? '/')}`, name };
}

function mkdir(path: string): string[] {
  const { command, name } = enter(path);
  return [command, `mkdir ${word(name)}`];
}

function write({ path, mode, link }: StagedFile, there: ReadonlyMap<string, GuestFile>): string[] {
  const { command, name } = enter(path);
  const inode = word(path);
  return [
    command,
    ...(there.has(path) ? [`rm ${inode}`] : []),
    `write ${word(link)} ${word(name)}`,
    `sif ${inode} mode 0${(REGULAR | mode).toString(8)}`,
    `sif ${inode} uid 0`,
    `sif ${inode} gid 0`,
  ];
}

/** Reads everything back: without space debugfs leaves a truncated file, and it does not notice disk errors. */
async function verify(workspace: Workspace, image: string, files: readonly StagedFile[]): Promise<void> {
  const there = await inspect(
    workspace,
    image,
    files.map(({ path }) => path),
  );
  const dumped = [];
  for (const { path, size, mode, sha256 } of files) {
    const found = there.get(path);
    const expected: Omit<GuestFile, 'flags'> = { type: 'regular', mode, user: 0, group: 0, size };
    for (const key of ['type', 'mode', 'user', 'group', 'size'] as const) {
      if (found?.[key] !== expected[key]) {
        throw invalid(image, `${path} has ${key} ${String(found?.[key])} in it instead of ${String(expected[key])}`);
      }
    }
    if (found !== undefined) dumped.push({ path, file: found, output: workspace.reserve(), sha256 });
  }
  await dump(workspace, image, dumped);
  for (const { path, output, sha256 } of dumped) {
    const digest = await digestOf(workspace.resolve(output));
    if (digest !== sha256) {
      throw invalid(
        image,
        `${path} has SHA-256 ${digest} in it instead of ${sha256}: its source, or the disk, changed`,
      );
    }
  }
}
