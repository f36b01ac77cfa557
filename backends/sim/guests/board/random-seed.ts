import { createHash } from 'node:crypto';

/** For the random numbers of a guest, which are to be the same in every run. @param of what it is told to do */
export function seedOf(of: string): Uint8Array {
  return createHash('sha512').update(of).digest();
}
