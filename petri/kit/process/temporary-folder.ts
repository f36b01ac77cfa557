import { realpathSync } from 'node:fs';
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import tmp from 'tmp';

import { PetriError } from '../../errors.ts';
import { temporaryHome } from '../../homes/index.ts';

const prefix = 'petri-vm-';

/** A path that does not exist, so that it can be recorded before it is created. @throws PetriError `folder-unusable` */
export function temporaryName(purpose: string): string {
  const name = purpose.replace(/[^\w-]/g, '-').slice(0, 32);
  return tmp.tmpNameSync({ tmpdir: temporaryHome(), template: `${prefix}${name}-XXXXXX` });
}

/** @throws Error if the path exists meanwhile */
export function makeTemporaryFolder(path: string): void {
  tmp.dirSync({ tmpdir: dirname(path), name: basename(path), mode: 0o700, keep: true });
}

/**
 * Removes a folder whose path `temporaryName` returned, with its content. Does nothing if it no longer exists.
 *
 * @throws PetriError `teardown-failed` if the path cannot be one of ours, or something in it cannot be removed
 */
export async function removeTemporaryFolder(path: string): Promise<void> {
  const refused = await whyNotOurs(path);
  if (refused === 'gone') return;
  if (refused !== undefined) throw failed(path, refused);
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw failed(path, String(error), error);
    // Only root can remove the content of a folder without write permission.
    await makeWritable(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch((again: unknown) => {
      throw failed(path, String(again), again);
    });
  }
}

async function whyNotOurs(path: string): Promise<string | undefined> {
  if (resolve(path) !== path || !basename(path).startsWith(prefix)) return 'it is not named as ours are';
  if (!temporaryFolders().includes(dirname(path))) return `it is not in ${temporaryFolders().join(' or ')}`;
  try {
    const found = await lstat(path);
    if (!found.isDirectory()) return 'it is no folder';
    if (process.getuid !== undefined && found.uid !== process.getuid()) return `it belongs to user ${found.uid}`;
    return undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 'gone';
    return String(error);
  }
}

/** A sweep may run with another TMPDIR than the run that created the folder. */
function temporaryFolders(): string[] {
  const real = [tmpdir(), '/tmp', '/var/tmp'].flatMap((path) => {
    try {
      return [realpathSync(path)];
    } catch {
      // Does not exist on this system.
      return [];
    }
  });
  return [...new Set(real)];
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}

function failed(path: string, why: string, cause?: unknown): PetriError {
  return new PetriError(`temporary folder ${path} was not removed: ${why}`, {
    code: 'teardown-failed',
    step: 'teardown',
    remedy: 'remove it by hand',
    cause,
  });
}

function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
