import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

import { artifactsFolder } from '../../../petri/artifacts/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import {
  ask,
  checkoutStep,
  digestFile,
  fullCommit,
  type PreparedStack,
  resolveRef,
  type StackManager,
  type StackRequest,
  type StackSource,
  type StackStep,
  writeAtomically,
} from '../../../petri/stack/index.ts';
import { firmwareStep } from './firmware.ts';
import { type InstalledStack, readInstalledStack, runtimes, stackRoot } from './installed.ts';
import { StackLayout } from './layout.ts';
import { formatLockFile, lockDigest, type LockFile, readLockFile, sourceOf } from './lock-file.ts';
import { overlaysStep } from './overlays.ts';
import { crossCompile, plane0KernelStep } from './plane0-kernel.ts';
import { findProgram, prerequisitesStep } from './prerequisites.ts';
import { resolveLock } from './resolve-lock.ts';
import { sealStep } from './seal.ts';
import { readSettings, type StackSettings, writeSettings } from './settings.ts';
import { shrinkwrapStep } from './shrinkwrap-tool.ts';
import { buildTmkVmmStep, givenTmkVmmStep } from './tmk-vmm.ts';

/** GiB that a whole stack takes while it is built, and that its model needs of memory. */
export const room = { disk: 40, memory: 6 } as const;

/** The FVP stack for `petri cca`. */
export class FvpStackManager implements StackManager {
  readonly #room: { readonly disk: number; readonly memory: number };

  constructor(needed: { readonly disk: number; readonly memory: number } = room) {
    this.#room = needed;
  }

  root(cwd: string, env: StackRequest['env']): string {
    return stackRoot(cwd, env);
  }

  installed(root: string): Readonly<Record<string, string>> | undefined {
    try {
      return readInstalledStack(root).revisions;
    } catch (error) {
      if (error instanceof PetriError && error.code === 'stack-missing') return undefined;
      throw error;
    }
  }

  async prepare(request: StackRequest): Promise<PreparedStack> {
    const layout = new StackLayout(request.root);
    const before = await readSettings(layout.root);
    const settings = chosenSettings(request, before);
    const lock = await this.#lock(request, layout, settings, before.lockFile === settings.lockFile);
    const steps = await this.#steps(request, layout, settings, lock);
    const begin = async (): Promise<void> => {
      await writeAtomically(layout.ownLock, formatLockFile(lock));
      await writeSettings(layout.root, settings);
    };
    return {
      plan: { root: layout.root, steps, seal: layout.stackFile, begin, notes: notes(lock, settings) },
      force: forced(request),
      sources: Object.entries(lock.sources).map(([name, source]) => describeSource(name, source)),
      lock: { path: layout.ownLock, digest: lockDigest(lock) },
    };
  }

  async #lock(
    request: StackRequest,
    layout: StackLayout,
    settings: StackSettings,
    hasSameBase: boolean,
  ): Promise<LockFile> {
    const shipped = join(artifactsFolder(), 'cca', 'fvp.lock.yaml');
    const base = await readLockFile(settings.lockFile ?? shipped);
    // What was replaced in one lock file says nothing about another.
    const hasOwn = hasSameBase && existsSync(layout.ownLock);
    return await resolveLock({
      base,
      own: hasOwn ? await readLockFile(layout.ownLock) : undefined,
      overrides: request.sources,
      refresh: request.refresh,
      unused: new Set([
        ...(settings.tmkVmm === undefined ? [] : ['openvmm']),
        ...(settings.shrinkwrap === undefined ? [] : ['shrinkwrap']),
      ]),
      ask: request.dryRun ? undefined : resolveRef,
    });
  }

  async #steps(
    request: StackRequest,
    layout: StackLayout,
    settings: StackSettings,
    lock: LockFile,
  ): Promise<StackStep[]> {
    const runtime = settings.runtime ?? 'docker';
    const jobs = request.jobs ?? availableParallelism();
    const compiler = await versionOf(`${crossCompile}gcc`, request.env);
    const command = settings.shrinkwrap ?? layout.shrinkwrap;
    const checkout = (name: 'shrinkwrap' | 'plane0-linux' | 'openvmm', expects: string): StackStep => {
      const { repository, revision, ref } = sourceOf(lock, name);
      const at = {
        name,
        repository: absoluteRepository(repository, request.cwd),
        revision: revision ?? `<commit of ${ref ?? ''}>`,
      };
      return checkoutStep(at, layout.source(name), expects);
    };
    const hasStack = existsSync(layout.stackFile);
    const needs = {
      root: layout.root,
      runtime,
      python: settings.shrinkwrap === undefined,
      rust: settings.tmkVmm === undefined,
      // An update works in the room that the installation took.
      disk: hasStack ? Math.min(this.#room.disk, 5) : this.#room.disk,
      memory: this.#room.memory,
      env: request.env,
    };
    const tool =
      settings.shrinkwrap === undefined
        ? [
            checkout('shrinkwrap', '1 min, 10 MB'),
            shrinkwrapStep(layout, lock, await versionOf('python3', request.env)),
          ]
        : [await givenShrinkwrapStep(settings.shrinkwrap)];
    const tmkVmm =
      settings.tmkVmm === undefined
        ? [checkout('openvmm', '2 min, 200 MB'), buildTmkVmmStep(layout, await versionOf('rustc', request.env), jobs)]
        : [givenTmkVmmStep(layout, settings.tmkVmm, await digestGiven('--tmk-vmm', settings.tmkVmm))];
    const fresh = request.rebuild.includes('rootfs') ? ['buildroot'] : [];
    return [
      prerequisitesStep(needs),
      ...tool,
      overlaysStep(layout, lock),
      checkout('plane0-linux', '5 min, 2 GB'),
      plane0KernelStep(layout, compiler, jobs),
      firmwareStep(layout, lock, { command, after: 'shrinkwrap', runtime, jobs, fresh }),
      ...tmkVmm,
      sealStep(layout, lock, {
        command,
        runtime,
        hasVenv: settings.shrinkwrap === undefined,
        after: ['shrinkwrap', 'overlays', 'plane0-kernel', 'firmware', 'tmk-vmm'],
      }),
    ];
  }
}

/** What the registry hands to `petri cca`. */
export const stackManager: StackManager = new FvpStackManager();

/** What is given now; else what was given before. 'own' takes back what was given before. */
function chosenSettings(request: StackRequest, before: StackSettings): StackSettings {
  const { env, cwd } = request;
  const pick = (option: string, variable: string, old: string | undefined): string | undefined => {
    const path = request.given[option] ?? (env[variable] === '' ? undefined : env[variable]) ?? old;
    return path === undefined || path === 'own' ? undefined : resolve(cwd, path);
  };
  const runtime = request.runtime === undefined ? before.runtime : parseRuntime(request.runtime);
  const tmkVmm = pick('tmk-vmm', 'PETRI_TMK_VMM', before.tmkVmm);
  const shrinkwrap = pick('shrinkwrap', 'PETRI_SHRINKWRAP', before.shrinkwrap);
  const lock = request.lockFile ?? before.lockFile;
  const lockFile = lock === undefined || lock === 'own' ? undefined : resolve(cwd, lock);
  return {
    ...(runtime === undefined ? {} : { runtime }),
    ...(tmkVmm === undefined ? {} : { tmkVmm }),
    ...(shrinkwrap === undefined ? {} : { shrinkwrap }),
    ...(lockFile === undefined ? {} : { lockFile }),
  };
}

async function digestGiven(option: string, path: string): Promise<string> {
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

/** A shrinkwrap that the user has installed takes the place of our own. */
async function givenShrinkwrapStep(command: string): Promise<StackStep> {
  await digestGiven('--shrinkwrap', command);
  return {
    name: 'shrinkwrap',
    title: `Take shrinkwrap from ${command}`,
    inputs: { command },
    commands: [{ argv: [command, '--version'] }],
    async run(context) {
      await context.command({ argv: [command, '--version'] });
    },
    inspect: async () => ({ version: await ask([command, '--version']) }),
  };
}

/** What is forced also says what its build must not find ready: see `fresh`. */
function forced(request: StackRequest): ReadonlySet<string> {
  const steps = { 'plane0-linux': 'plane0-kernel', rootfs: 'firmware' } as const;
  return new Set(request.rebuild.map((target) => steps[target]));
}

function parseRuntime(asked: string): InstalledStack['shrinkwrap']['runtime'] {
  const runtime = runtimes.find((known) => known === asked);
  if (runtime !== undefined) return runtime;
  throw new PetriError(`shrinkwrap has no runtime '${asked}'`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `--runtime takes ${runtimes.join(', ')}`,
  });
}

/** git takes relative paths from the folder it works in, which is not where the user is. */
function absoluteRepository(repository: string, cwd: string): string {
  return /^[a-z+]+:\/\/|^[^/]+:/.test(repository) || isAbsolute(repository) ? repository : resolve(cwd, repository);
}

async function versionOf(program: string, env: StackRequest['env']): Promise<string> {
  if (findProgram(program, env) === undefined) return 'not installed';
  try {
    const version = await ask([program, '--version'], { env: { ...env } });
    return version.split('\n')[0] ?? '';
  } catch (error) {
    return `unusable: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function describeSource(name: string, source: LockFile['sources'][string]): StackSource {
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

function notes(lock: LockFile, settings: StackSettings): string[] {
  const forks = Object.entries(lock.sources).filter(([, source]) => source.fork !== undefined);
  return [
    ...forks.map(
      ([name, { fork, repository }]) => `${name} is ${repository}. ${fork ?? ''} Another: --source ${name}=URL@REV`,
    ),
    ...(settings.tmkVmm === undefined
      ? ['a tmk_vmm that you have is taken instead of being built: --tmk-vmm PATH']
      : []),
  ];
}
