import { copyTo } from './copy.ts';
import { injectFiles } from './inject.ts';
import { replaceFile } from './replace-file.ts';
import { readSuperblock } from './superblock.ts';
import type { DeriveImageOptions, DerivedImage } from './types.ts';

/**
 * An image with files added, made from another that is not touched: copied, mended, grown where it is too small, filled,
 * read back, checked, and only then given its name.
 *
 * @throws PetriError as `copyImage` and `injectFiles` do
 */
export async function deriveImage(options: DeriveImageOptions): Promise<DerivedImage> {
  const { source, target, files, spare, signal } = options;
  await readSuperblock(source);
  return replaceFile(target, async (temporary) => {
    const copy = await copyTo(source, target, temporary, signal);
    const injected = await injectFiles(temporary, files, {
      ...(spare === undefined ? {} : { spare }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { copy, size: (await readSuperblock(temporary)).size, files: injected };
  });
}
