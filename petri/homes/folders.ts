import { accessSync, chmodSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { PetriError } from '../errors.ts';

/**
 * Why nothing can be made in a folder that need not exist yet, in words of the system; undefined where it can. Looks,
 * and makes nothing.
 *
 * @param options `own`: a folder of another user will not do
 */
export function whyUnusable(path: string, options: { readonly own?: boolean } = {}): string | undefined {
  try {
    for (let folder = path; ; folder = dirname(folder)) {
      const found = statSync(folder, { throwIfNoEntry: false });
      if (found === undefined) continue;
      if (!found.isDirectory()) return `${folder} is no folder`;
      if (folder === path && options.own === true && isForeign(found.uid)) return `it belongs to user ${found.uid}`;
      accessSync(folder, constants.W_OK | constants.X_OK);
      return undefined;
    }
  } catch (error) {
    return reason(error);
  }
}

/**
 * Makes a folder that only we can write to, or makes one that we have so.
 *
 * @throws Error where it belongs to somebody else, is a link, or cannot be made
 */
export function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory()) throw new Error('it is no folder');
  if (isForeign(found.uid)) throw new Error(`it belongs to user ${found.uid}`);
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
}

/** Refuses a folder that nothing can be made in, before anything begins. @throws PetriError `folder-unusable` */
export function requireUsable(what: string, path: string, remedy: string): void {
  const why = whyUnusable(path);
  if (why !== undefined) throw unusable(what, path, why, remedy);
}

/** @param what as in 'the folder of runs' */
export function unusable(what: string, path: string, cause: unknown, remedy: string): PetriError {
  return new PetriError(`${what} cannot be used: ${path}: ${reason(cause)}`, {
    code: 'folder-unusable',
    step: 'config',
    remedy,
    cause,
  });
}

function isForeign(uid: number): boolean {
  return process.getuid !== undefined && uid !== process.getuid();
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
