import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { identify } from '../artifacts/index.ts';
import { PetriError } from '../errors.ts';

const SECTOR_BYTES = 512;

/**
 * The absolute path of a raw disk image.
 *
 * @throws PetriError `artifact-missing`, `image-invalid` if it has no whole number of sectors
 */
export function diskImage(path: string): string {
  const chosen = resolve(path);
  if (identify(chosen) === undefined) {
    throw new PetriError(`there is no file ${chosen}`, {
      code: 'artifact-missing',
      step: 'payload',
      remedy: 'give the path of a raw disk image',
    });
  }
  const { size } = statSync(chosen);
  if (size > 0 && size % SECTOR_BYTES === 0) return chosen;
  throw new PetriError(`${chosen} has ${size} bytes, which is no whole number of sectors of ${SECTOR_BYTES} bytes`, {
    code: 'image-invalid',
    step: 'payload',
    remedy: 'give a raw disk image, and not one of qcow2 or another format',
  });
}
