import { stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { copyTo } from './copy.ts';
import { refuseChanges } from './features.ts';
import { injectFiles } from './inject.ts';
import { diskFull, replaceFile } from './replace-file.ts';
import { readSuperblock } from './superblock.ts';
import type { DeriveImageOptions, DerivedImage, InjectedFile } from './types.ts';

/**
 * An image with files added, made from another that is not touched: copied, mended, grown where it is too small,
 * filled, read back, checked, and only then given its name.
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

/** Told before: an image is sparse, so what is written into it may find the disk full, and then say so in odd ways. */
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
    return 0; // Staging it says what is wrong with it.
  }
}
