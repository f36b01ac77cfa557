import { resolve } from 'node:path';

import { builtinBackends } from '../../../backends/index.ts';
import { PetriError } from '../../errors.ts';
import type { RebuildTarget, SourceOverride, StackManager, StackOption, StackRequest } from '../../kit/stack/index.ts';
import { type CcaAction, type CcaCommandOptions, defaultPlatform } from './options.ts';

/** The stack manager of a platform. @throws PetriError `invalid-option` */
export async function stackManagerOf(platform: string): Promise<StackManager> {
  const stack = Object.hasOwn(builtinBackends, platform) ? builtinBackends[platform]?.stack : undefined;
  if (stack !== undefined) return await stack();
  const known = Object.entries(builtinBackends).flatMap(([name, entry]) => (entry.stack === undefined ? [] : [name]));
  throw new PetriError(`petri cca cannot install anything for platform '${platform}'`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `--platform takes ${known.join(', ')}`,
  });
}

/** The command that installs what a platform needs, as a user types it. */
export function installCommand(platform: string): string {
  return `npx petri cca install${platform === defaultPlatform ? '' : ` --platform=${platform}`}`;
}

/** The request that the options specify. @throws PetriError `invalid-option` */
export function stackRequest(
  action: CcaAction,
  options: CcaCommandOptions,
  manager: StackManager,
  cwd: string,
): StackRequest {
  const env = process.env;
  const revisions = { tfa: options.tfaRev, tfrmm: options.tfrmmRev, 'plane0-linux': options.plane0LinuxRev };
  const { tmkVmm, shrinkwrap, qemu, only, bl33 } = options;
  const given = { 'tmk-vmm': tmkVmm, shrinkwrap, qemu, only, bl33 };
  refuseOthers(options.platform, { ...given, runtime: options.runtime }, manager.options);
  const rebuild: RebuildTarget[] = [
    ...(options.rebuildPlane0Linux === true ? (['plane0-linux'] as const) : []),
    ...(options.rebuildRootfs === true ? (['rootfs'] as const) : []),
    ...(options.rebuildTmk === true ? (['tmk'] as const) : []),
  ];
  const sources = [
    ...(options.source ?? []).map(parseSource),
    ...Object.entries(revisions).flatMap(([name, revision]) => (revision === undefined ? [] : [{ name, revision }])),
  ];
  return {
    root: options.root === undefined ? manager.root(cwd, env) : resolve(cwd, options.root),
    cwd,
    sources,
    // An update without options follows the branches; one with options does only what they request.
    refresh: action === 'update' && rebuild.length === 0 && sources.length === 0,
    rebuild,
    dryRun: options.dryRun === true || action === 'status',
    given: Object.fromEntries(
      Object.entries(given).flatMap(([name, path]) => (path === undefined ? [] : [[name, path]])),
    ),
    env,
    ...(options.lock === undefined ? {} : { lockFile: options.lock }),
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
  };
}

/** @throws PetriError `invalid-option` for an option of another platform */
function refuseOthers(
  platform: string,
  given: Readonly<Record<StackOption, string | undefined>>,
  known: readonly StackOption[],
): void {
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const others = names.filter((name) => !known.some((option) => option === name));
  if (others.length === 0) return;
  throw new PetriError(`platform '${platform}' does not take ${others.map((name) => `--${name}`).join(', ')}`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `of its own it takes ${known.map((name) => `--${name}`).join(', ')}`,
  });
}

/** `NAME=URL`, `NAME=URL@REV` or `NAME=@REV`. @throws PetriError `invalid-option` */
export function parseSource(given: string): SourceOverride {
  const [, name, where] = /^([a-z][a-z0-9-]*)=(.+)$/s.exec(given) ?? [];
  if (name === undefined || where === undefined) throw wrongSource(given);
  // In `git@host:path` and `ssh://git@host/path` the @ separates the user: a revision follows a path.
  const [, repository, revision] = /^((?:[a-z+]+:\/\/)?[^/:]*[/:].*|)@([^@]+)$/s.exec(where) ?? [];
  if (repository === undefined || revision === undefined || isUser(repository)) return { name, repository: where };
  return repository === '' ? { name, revision } : { name, repository, revision };
}

/** Whether this is the part before the @ of `ssh://git@host/path`. */
function isUser(repository: string): boolean {
  return /^[a-z+]+:\/\/[^/]*$/.test(repository);
}

function wrongSource(given: string): PetriError {
  return new PetriError(`--source: '${given}' names no source and place`, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'write it as in: --source tfa=https://example.org/tfa.git@v2.14, or --source tfa=@v2.14',
  });
}
