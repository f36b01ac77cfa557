import type { GuestFile } from './debugfs.ts';
import { invalid } from './invalid.ts';

/** Inode flags (Linux, `fs/ext4/ext4.h`). */
const ENCRYPT = 0x800;
const CASEFOLD = 0x4000_0000;

/**
 * Rejects encrypted files and folders, which only a kernel with the key can interpret.
 *
 * @throws PetriError `image-invalid`
 */
export function refuseEncrypted(image: string, files: ReadonlyMap<string, GuestFile>): void {
  for (const [path, { flags }] of files) {
    if ((flags & ENCRYPT) === 0) continue;
    throw invalid(image, `${path} in it is encrypted`, 'give a path outside of encrypted folders (fscrypt)');
  }
}

/**
 * Rejects casefolded folders, in which debugfs could create two names that differ only in case.
 *
 * @throws PetriError `image-invalid`
 */
export function refuseCasefolded(image: string, files: ReadonlyMap<string, GuestFile>): void {
  for (const [path, { flags, type }] of files) {
    if (type !== 'directory' || (flags & CASEFOLD) === 0) continue;
    throw invalid(
      image,
      `names in its folder ${path} are the same in upper and lower case (casefold)`,
      'give a path outside of such folders',
    );
  }
}
