import { stat, truncate } from 'node:fs/promises';
import { read, word, type GuestFile } from './debugfs.ts';
import { invalid } from './invalid.ts';
import type { Workspace } from './workspace.ts';

/** Inode flag: the data is in the inode (Linux, `Documentation/filesystems/ext4/inodes.rst`, `EXT4_INLINE_DATA_FL`). */
const INLINE_DATA = 0x1000_0000;

/** A file of an image, and its name in the workspace. */
export interface Dumped {
  readonly path: string;
  readonly file: GuestFile;
  readonly output: string;
}

/**
 * Copies files out of an image, each with the length in its inode.
 *
 * @throws PetriError `image-invalid` if a length differs, `tool-failed`
 */
export async function dump(workspace: Workspace, image: string, files: readonly Dumped[]): Promise<void> {
  await read(
    workspace,
    files.map(({ path, output }) => `dump ${word(path)} ${word(output)}`),
  );
  for (const { path, file, output } of files) {
    const there = workspace.resolve(output);
    let { size } = await stat(there);
    // debugfs writes all of the inode's space for inline data, which may be longer.
    if (size > file.size && (file.flags & INLINE_DATA) !== 0) {
      await truncate(there, file.size);
      size = file.size;
    }
    if (size !== file.size) {
      const [is, expected] = [size, file.size].map((value) => value.toLocaleString('en'));
      throw invalid(image, `${path} should have ${String(expected)} bytes, of which ${String(is)} could be read`);
    }
  }
}
