import { PetriError } from '../../errors.ts';

/** The error for an image that cannot be used: `image-invalid`. */
export function invalid(image: string, why: string, remedy = 'make or fetch it again'): PetriError {
  return new PetriError(`the image ${JSON.stringify(image)} cannot be used: ${why}`, {
    code: 'image-invalid',
    step: 'artifact',
    remedy,
  });
}
