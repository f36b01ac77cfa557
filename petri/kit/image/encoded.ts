import type { GuestFile } from './debugfs.ts';
import { invalid } from './invalid.ts';

/** Of an inode (Linux, `fs/ext4/ext4.h`). */
const ENCRYPT = 0x800;
const CASEFOLD = 0x4000_0000;

/**
 * Refuses what is encrypted, whose names and contents mean something only to a kernel with the key.
 *
 * @throws PetriError `image-invalid`
 */
export function refuseEncrypted(image: string, files: ReadonlyMap<string, GuestFile>): void {
  for (const [path, { flags }] of files) {
    if ((flags & ENCRYPT) === 0) continue;
    throw invalid(image, `${path} in it is encrypted`, 'give a path outside of what is encrypted (fscrypt)');
  }
}

/**
 * Refuses folders to which debugfs could add a name beside the same name in other case.
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
