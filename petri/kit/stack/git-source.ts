import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { ask } from './command.ts';
import type { StackCommand, StackStep } from './step.ts';

/** A repository at one commit. */
export interface GitSource {
  readonly name: string;
  readonly repository: string;
  /** Full commit id. */
  readonly revision: string;
  /** Whether it needs its submodules, at the commits that it records. */
  readonly submodules?: boolean;
}

/** Never asks for a password: an installation would hang. */
const quietGit = { GIT_TERMINAL_PROMPT: '0' };

export const fullCommit = /^[0-9a-f]{40}$/;

/** Checks out one commit, without history, into a folder of its own. */
export function checkoutStep(source: GitSource, folder: string, expects?: string): StackStep {
  const git = (...args: string[]): StackCommand => ({ argv: ['git', '-C', folder, ...args], env: quietGit });
  const init: StackCommand = { argv: ['git', 'init', '--quiet', folder], env: quietGit };
  const fetchOne = git('fetch', '--depth=1', '--no-tags', '--progress', source.repository, source.revision);
  const fetchAll = git('fetch', '--no-tags', '--progress', source.repository, '+refs/*:refs/petri/*');
  const checkout = git('checkout', '--quiet', '--force', '--detach', source.revision);
  const clean = git('clean', '--quiet', '-ffdx');
  // A submodule's URL may be relative to that of the repository, which is recorded only if it is set here.
  const inside =
    source.submodules === true
      ? [git('config', 'remote.origin.url', source.repository), submodulesCommand(folder)]
      : [];
  return {
    name: `${source.name}-source`,
    title: `Get the source of ${source.name}`,
    inputs: {
      repository: source.repository,
      revision: source.revision,
      ...(source.submodules === true ? { submodules: 'yes' } : {}),
    },
    commands: [init, fetchOne, checkout, clean, ...inside],
    ...(expects === undefined ? {} : { expects }),
    async run(context) {
      if (context.interrupted) await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      if (!existsSync(join(folder, '.git'))) await context.command(init);
      try {
        await context.command(fetchOne);
      } catch (error) {
        if (context.signal.aborted) throw error;
        await context.log('the server does not give single commits; fetching everything');
        await context.command(fetchAll);
      }
      await context.command(checkout);
      await context.command(clean);
      for (const command of inside) await context.command(command);
    },
    async inspect() {
      const env = { ...process.env, ...quietGit };
      const commit = await ask(['git', '-C', folder, 'rev-parse', 'HEAD'], { env });
      if (commit !== source.revision) throw new Error(`${folder} is at ${commit}`);
      // Builds patch and add files inside of submodules; only the commit of each counts.
      const status = ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules=dirty'];
      const changed = await ask(['git', '-C', folder, ...status], { env });
      if (changed !== '') throw new Error(`${folder} has local changes: ${changed.split('\n')[0] ?? ''}`);
      return { commit };
    },
  };
}

/** Resets submodules to the commits that a checkout records. Accesses the network only for missing commits. */
export function submodulesCommand(folder: string): StackCommand {
  const update = ['submodule', 'update', '--init', '--recursive', '--force', '--depth=1'];
  return { argv: ['git', '-C', folder, ...update], env: quietGit };
}

/** Milliseconds for a server to list its refs. */
const LIST_MS = 120_000;

/**
 * The current commit of a branch or tag of a repository. A full commit id is returned unchanged.
 *
 * @throws PetriError `tool-failed` if the repository cannot be queried or has no such ref
 */
export async function resolveRef(repository: string, ref: string): Promise<string> {
  if (fullCommit.test(ref)) return ref;
  // git would take a leading hyphen for an option.
  if (ref.startsWith('-') || repository.startsWith('-')) throw unresolved(repository, ref, 'not a name of a ref');
  const env = { ...process.env, ...quietGit };
  let listed: string;
  try {
    listed = await ask(['git', 'ls-remote', repository, ref, `${ref}^{}`], { env, timeout: LIST_MS });
  } catch (error) {
    throw unresolved(repository, ref, error instanceof Error ? error.message : String(error), error);
  }
  const refs = new Map<string, string>();
  for (const line of listed.split('\n')) {
    const [commit, name] = line.split('\t');
    if (commit !== undefined && name !== undefined && fullCommit.test(commit)) refs.set(name, commit);
  }
  const names = [`refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`, `${ref}^{}`, ref];
  const found = names.map((name) => refs.get(name)).find((commit) => commit !== undefined);
  if (found === undefined) throw unresolved(repository, ref, 'it has no such branch or tag');
  return found;
}

function unresolved(repository: string, ref: string, why: string, cause?: unknown): PetriError {
  return new PetriError(`cannot find out which commit '${ref}' of ${repository} is: ${why}`, {
    code: 'tool-failed',
    step: 'install',
    remedy: 'check the name and the network, or give a full commit id (--source NAME=URL@COMMIT)',
    cause,
  });
}
