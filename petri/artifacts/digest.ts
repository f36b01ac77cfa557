import { createHash } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import { PetriError } from '../errors.ts';

/** What says that a file is still the one that was looked at before. */
export interface FileIdentity {
  readonly mtimeMs: number;
  readonly size: number;
}

/**
 * @returns undefined when there is no such file @throws PetriError `artifact-missing` where that cannot be found out
 */
export function identify(path: string): FileIdentity | undefined {
  const stat = look(path);
  return stat?.isFile() === true ? { mtimeMs: stat.mtimeMs, size: stat.size } : undefined;
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new PetriError(`${path} cannot be inspected: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'artifact-missing',
      step: 'artifact',
      remedy: 'let this user read the folders above it, or name another file',
      cause: error,
    });
  }
}

export function sameFile(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  return a !== undefined && b !== undefined && a.mtimeMs === b.mtimeMs && a.size === b.size;
}

const digests = new Map<string, FileIdentity & { readonly sha256: string }>();

/** SHA-256 of a file as hexadecimal digits; computed once in a process as long as the file does not change. */
export function sha256Of(path: string): string {
  const identity = identify(path);
  const known = digests.get(path);
  if (known !== undefined && sameFile(identity, known)) return known.sha256;
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (identity !== undefined) digests.set(path, { ...identity, sha256 });
  return sha256;
}

/** @throws PetriError `artifact-digest` when the file is not the declared one */
export function verifyDigest(path: string, expected: string, remedy: string): void {
  const actual = sha256Of(path);
  if (actual === expected) return;
  throw new PetriError(`${path} has SHA-256 ${actual}, the manifest says ${expected}`, {
    code: 'artifact-digest',
    step: 'artifact',
    remedy,
  });
}
