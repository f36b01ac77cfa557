import { randomBytes } from 'node:crypto';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PetriError } from '../../errors.ts';

/**
 * Writes a file under a temporary name in the same folder, and renames it when it is complete. If `make` fails, nothing
 * is left.
 *
 * @throws PetriError `invalid-option` if the target is a folder or its folder is missing; `image-full` if the disk is;
 *   what `make` throws
 */
export async function replaceFile<T>(target: string, make: (temporary: string) => Promise<T>): Promise<T> {
  const folder = dirname(resolve(target));
  if (!(await isFolder(folder))) throw badTarget(target, `there is no folder ${JSON.stringify(folder)}`);
  if (await isFolder(target)) throw badTarget(target, 'it is a folder');
  const temporary = `${resolve(target)}.${String(process.pid)}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    const made = await make(temporary);
    await rename(temporary, target);
    return made;
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof PetriError) throw error;
    if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
      throw diskFull(target, error);
    }
    throw badTarget(target, error instanceof Error ? error.message : String(error), error);
  }
}

export function diskFull(target: string, cause?: unknown): PetriError {
  return new PetriError(`there is no space left for ${JSON.stringify(target)}`, {
    code: 'image-full',
    step: 'artifact',
    remedy: `free space on the disk that has ${JSON.stringify(dirname(resolve(target)))}`,
    cause,
  });
}

function badTarget(target: string, why: string, cause?: unknown): PetriError {
  return new PetriError(`${JSON.stringify(target)} cannot be written: ${why}`, {
    code: 'invalid-option',
    step: 'artifact',
    remedy: 'give a file in a folder that may be written to',
    cause,
  });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // If it cannot be inspected, writing the file reports why.
  }
}
