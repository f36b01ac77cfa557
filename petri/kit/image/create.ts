import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { check } from './check.ts';
import { change, inspect, word } from './debugfs.ts';
import { toolFailed } from './tools.ts';
import type { ImageOptions } from './types.ts';
import { IMAGE, Workspace } from './workspace.ts';

export interface CreateImageOptions extends ImageOptions {
  /** Its content: files, folders and symbolic links, with their modes. */
  readonly folder: string;
  /** Appears complete or not at all; replaced if it exists. */
  readonly target: string;
  /** Size of the file system in bytes. */
  readonly size: number;
}

/**
 * Makes an ext4 image of a folder, without root. Everything in it belongs to uid 0 and gid 0.
 *
 * @throws PetriError `tool-missing`, `tool-failed` (also if the folder does not fit), `image-invalid`, `interrupted`
 */
export async function createImage({ folder, target, size, signal }: CreateImageOptions): Promise<void> {
  const image = `${target}.new`;
  await rm(image, { force: true });
  const handle = await open(image, 'wx');
  try {
    await handle.truncate(size);
  } finally {
    await handle.close();
  }
  try {
    await Workspace.with(image, signal, async (workspace) => {
      const from = await workspace.link(folder);
      const run = await workspace.run('mke2fs', [
        ...['-q', '-F', '-t', 'ext4', '-b', '4096', '-m', '0', '-E', 'root_owner=0:0', '-d', from],
        IMAGE,
      ]);
      if (run.code !== 0) throw toolFailed('mke2fs', `exit code ${String(run.code)}`, run.stderr);
      await giveToRoot(workspace, image, await listTree(folder));
      await check(workspace, image);
    });
    await rename(image, target);
  } finally {
    await rm(image, { force: true });
  }
}

/** mke2fs copies the owners of the folder's files; they are changed to root. */
async function giveToRoot(workspace: Workspace, image: string, paths: readonly string[]): Promise<void> {
  await change(
    workspace,
    paths.flatMap((path) => [`set_inode_field ${word(path)} uid 0`, `set_inode_field ${word(path)} gid 0`]),
  );
  const found = await inspect(workspace, image, paths);
  const wrong = paths.filter((path) => found.get(path)?.user !== 0 || found.get(path)?.group !== 0);
  if (wrong.length > 0) throw toolFailed('debugfs', `${wrong.slice(0, 5).join(', ')} do not belong to root`, '');
}

/** Every path below a folder, absolute as in the image. */
async function listTree(folder: string, inImage = '/'): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(inImage, entry.name);
    paths.push(path);
    if (entry.isDirectory()) paths.push(...(await listTree(join(folder, entry.name), path)));
  }
  return paths;
}
