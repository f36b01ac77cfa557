import { stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { copyTo } from './copy.ts';
import { refuseChanges } from './features.ts';
import { injectFiles } from './inject.ts';
import { diskFull, replaceFile } from './replace-file.ts';
import { readSuperblock } from './superblock.ts';
import type { DeriveImageOptions, DerivedImage, InjectedFile } from './types.ts';

/**
 * Makes an image with files added from another one, which is not changed: copies, repairs and grows it as necessary,
 * writes the files, reads them back, checks the file system, and only then renames it to the target.
 *
 * @throws PetriError as `copyImage` and `injectFiles` do
 */
export async function deriveImage(options: DeriveImageOptions): Promise<DerivedImage> {
  const { source, target, files, spare, signal } = options;
  refuseChanges(source, await readSuperblock(source));
  return replaceFile(target, async (temporary) => {
    const copy = await copyTo(source, target, temporary, signal);
    await refuseFullDisk(target, files);
    const injected = await injectFiles(temporary, files, {
      ...(spare === undefined ? {} : { spare }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { copy, size: (await readSuperblock(temporary)).size, files: injected };
  });
}

/** Checked first: an image is sparse, so later writes into it would find the disk full and report it poorly. */
async function refuseFullDisk(target: string, files: readonly InjectedFile[]): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(resolve(target)));
  const sizes = await Promise.all(files.map(({ source }) => sizeOf(source)));
  const needed = sizes.reduce((sum, size) => sum + size, 0);
  if (needed > bavail * bsize) throw diskFull(target);
}

async function sizeOf(source: InjectedFile['source']): Promise<number> {
  if (typeof source !== 'string') return source.length;
  try {
    return (await stat(source)).size;
  } catch {
    return 0; // Staging it reports what is wrong with it.
  }
}
