import { createReadStream } from 'node:fs';

import { PetriError } from '../../../petri/errors.ts';

/** Maximum length of a version name that is searched. */
const OVERLAP = 16;

/**
 * Checks that a program was not linked with a newer glibc than the given one, with which it would not start.
 *
 * @throws PetriError `tool-failed`
 */
export async function expectOldEnough(program: string, libc: string): Promise<void> {
  const [needed, had] = await Promise.all([newestVersion(program), newestVersion(libc)]);
  if (needed <= had) return;
  throw new PetriError(`${program} needs glibc 2.${String(needed)}, and the root file system has 2.${String(had)}`, {
    code: 'tool-failed',
    step: 'install',
    remedy:
      'link it with the cross compiler that is installed here, or without shared libraries (target aarch64-unknown-linux-musl)',
  });
}

/** The minor version of the newest GLIBC_2.N that an ELF file refers to; 0 if there is none. */
async function newestVersion(path: string): Promise<number> {
  let newest = 0;
  let end = '';
  for await (const chunk of createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 20 })) {
    const text = end + String(chunk);
    for (const [, minor] of text.matchAll(/GLIBC_2\.(\d{1,3})(?!\d)/g)) newest = Math.max(newest, Number(minor));
    end = text.slice(-OVERLAP);
  }
  return newest;
}
