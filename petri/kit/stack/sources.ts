import { isAbsolute, resolve } from 'node:path';

import { PetriError } from '../../errors.ts';
import { digestFile } from './files.ts';
import { checkoutStep, fullCommit } from './git-source.ts';
import { type Lock, lockedSource, type LockedSource } from './lock-format.ts';
import type { StackSource } from './manager.ts';
import type { StackStep } from './step.ts';

/** Checks out a source of the lock. */
export function lockedCheckoutStep(
  lock: Lock,
  name: string,
  options: {
    readonly folder: string;
    /** Folder for resolving relative paths of repositories. */
    readonly cwd: string;
    readonly expects: string;
    readonly submodules?: boolean;
  },
): StackStep {
  const { repository, revision, ref } = lockedSource(lock, name);
  const source = {
    name,
    repository: absoluteRepository(repository, options.cwd),
    revision: revision ?? `<commit of ${ref ?? ''}>`,
    submodules: options.submodules ?? false,
  };
  return checkoutStep(source, options.folder, options.expects);
}

/** Makes paths absolute, since git runs in another folder than the user. */
function absoluteRepository(repository: string, cwd: string): string {
  return /^[a-z+]+:\/\/|^[^/]+:/.test(repository) || isAbsolute(repository) ? repository : resolve(cwd, repository);
}

/** Digest of a file given by an option. @throws PetriError `artifact-missing` */
export async function digestGiven(option: string, path: string): Promise<string> {
  try {
    return await digestFile(path);
  } catch (error) {
    throw new PetriError(`${option}: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'artifact-missing',
      step: 'options',
      remedy: 'give the path of the file',
      cause: error,
    });
  }
}

/** Every source of a lock that is used, with cautions. */
export function describeSources(lock: Lock, unused: ReadonlySet<string>): StackSource[] {
  return used(lock, unused).map(([name, source]) => describeSource(name, source));
}

function used(lock: Lock, unused: ReadonlySet<string>): [string, LockedSource][] {
  return Object.entries(lock.sources).filter(([name]) => !unused.has(name));
}

function describeSource(name: string, source: LockedSource): StackSource {
  const open =
    source.revision === null ? `not pinned yet: '${source.ref ?? ''}' moves (${source.why ?? ''})` : undefined;
  const resolved = source.by === 'resolved' ? `'${source.ref ?? ''}' as it was when you installed` : undefined;
  const cautions = [source.fork, open, resolved].filter((caution) => caution !== undefined);
  return {
    name,
    repository: source.repository,
    revision: source.revision !== null && fullCommit.test(source.revision) ? source.revision : undefined,
    ref: source.ref,
    caution: cautions.length === 0 ? undefined : cautions.map((text) => text.replace(/\.$/, '')).join('; '),
  };
}

/** A sentence for each source that is not from the project itself. */
export function forkNotes(lock: Lock, unused: ReadonlySet<string>): string[] {
  return used(lock, unused).flatMap(([name, { fork, repository }]) =>
    fork === undefined ? [] : [`${name} is ${repository}. ${fork} Another: --source ${name}=URL@REV`],
  );
}

/** The commits from which a stack was built, for stack.json, except those of sources that the user replaced. */
export function lockedRevisions(lock: Lock, unused: ReadonlySet<string>): Record<string, string> {
  const known = used(lock, unused).filter(([, source]) => source.revision !== null);
  return Object.fromEntries(known.map(([name, source]) => [name, source.revision ?? '']));
}

/**
 * Compares files with their digests in the lock.
 *
 * @throws PetriError `artifact-digest`, `lock-file-invalid`
 */
export async function expectDigests(files: Readonly<Record<string, string | undefined>>, lock: Lock): Promise<void> {
  for (const [name, expected] of Object.entries(lock.digests)) {
    const path = files[name];
    if (path === undefined) {
      throw new PetriError(`the lock has a digest of '${name}', which no stack has`, {
        code: 'lock-file-invalid',
        step: 'install',
        remedy: `digests are of ${Object.keys(files).join(', ')}`,
      });
    }
    const found = await digestFile(path);
    if (found === expected) continue;
    throw new PetriError(`${path} came out with sha256 ${found}; the lock expects ${expected}`, {
      code: 'artifact-digest',
      step: 'install',
      remedy: 'build with the tools that the lock was made with, or remove the digest from the lock',
    });
  }
}
