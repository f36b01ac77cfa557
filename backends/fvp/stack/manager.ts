import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';

import { artifactsFolder } from '../../../petri/artifacts/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import {
  ask,
  buildSimpleTmkStep,
  buildTmkVmmStep,
  crossCompile,
  describeSources,
  digestGiven,
  forkNotes,
  givenTmkVmmStep,
  lockedCheckoutStep,
  plane0KernelStep,
  prerequisitesStep,
  type PreparedStack,
  readSettings,
  resolveLock,
  resolveRef,
  type StackManager,
  type StackRequest,
  type StackStep,
  versionOf,
  writeAtomically,
  writeSettings,
} from '../../../petri/kit/stack/index.ts';
import { ContainerImage } from './container-image.ts';
import { firmwareStep } from './firmware.ts';
import { type InstalledStack, readInstalledStack, runtimes, stackRoot } from './installed.ts';
import { StackLayout } from './layout.ts';
import { type LockFile, lockFormat } from './lock-file.ts';
import { overlaysStep } from './overlays.ts';
import { findShortages } from './prerequisites.ts';
import { sealStep } from './seal.ts';
import { settingsSchema, type StackSettings } from './settings.ts';
import { shrinkwrapStep } from './shrinkwrap-tool.ts';

/** GiB of disk space for building a whole stack, and of memory for its model. */
export const room = { disk: 40, memory: 6 } as const;

/** The FVP stack for `petri cca`. */
export class FvpStackManager implements StackManager {
  readonly options = ['runtime', 'shrinkwrap', 'tmk-vmm'] as const;
  readonly rootVariable = 'PETRI_CCA_ROOT';
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

  simpleTmk(root: string): string | undefined {
    return readInstalledStack(root).files.simpleTmk;
  }

  async prepare(request: StackRequest): Promise<PreparedStack> {
    const layout = new StackLayout(request.root);
    const before = await readSettings(layout.root, settingsSchema);
    const settings = chosenSettings(request, before);
    const unused = new Set([
      ...(settings.tmkVmm === undefined ? [] : ['openvmm']),
      ...(settings.shrinkwrap === undefined ? [] : ['shrinkwrap']),
    ]);
    const lock = await this.#lock(request, layout, settings, { unused, base: before.lockFile });
    const image = new ContainerImage(layout, lock, {
      command: settings.shrinkwrap ?? layout.shrinkwrap,
      after: 'shrinkwrap',
      runtime: settings.runtime ?? 'docker',
    });
    // What was resolved for one lock file does not apply to another.
    const locked = before.lockFile === settings.lockFile ? await image.locked() : lock;
    const steps = await this.#steps(request, layout, settings, { lock, unused, image });
    const begin = async (): Promise<void> => {
      await writeAtomically(layout.ownLock, lockFormat.format(locked));
      await writeSettings(layout.root, settings);
    };
    return {
      plan: { root: layout.root, steps, seal: layout.stackFile, begin, notes: notes(lock, settings, unused) },
      force: forced(request, image),
      sources: describeSources(lock, unused),
      lock: { path: layout.ownLock, digest: lockFormat.digest(locked) },
    };
  }

  async #lock(
    request: StackRequest,
    layout: StackLayout,
    settings: StackSettings,
    { unused, base: baseBefore }: { readonly unused: ReadonlySet<string>; readonly base: string | undefined },
  ): Promise<LockFile> {
    const shipped = join(artifactsFolder(), 'cca', 'fvp.lock.yaml');
    const base = await lockFormat.read(settings.lockFile ?? shipped);
    // Replacements in one lock file do not apply to another.
    const hasOwn = baseBefore === settings.lockFile && existsSync(layout.ownLock);
    return await resolveLock({
      format: lockFormat,
      base,
      own: hasOwn ? await lockFormat.read(layout.ownLock) : undefined,
      overrides: request.sources,
      refresh: request.refresh,
      unused,
      ask: request.dryRun ? undefined : resolveRef,
    });
  }

  async #steps(
    request: StackRequest,
    layout: StackLayout,
    settings: StackSettings,
    {
      lock,
      unused,
      image,
    }: { readonly lock: LockFile; readonly unused: ReadonlySet<string>; readonly image: ContainerImage },
  ): Promise<StackStep[]> {
    const runtime = settings.runtime ?? 'docker';
    const jobs = request.jobs ?? availableParallelism();
    const compiler = await versionOf(`${crossCompile}gcc`, request.env);
    const command = settings.shrinkwrap ?? layout.shrinkwrap;
    const checkout = (name: 'shrinkwrap' | 'plane0-linux' | 'openvmm', expects: string): StackStep =>
      lockedCheckoutStep(lock, name, { folder: layout.source(name), cwd: request.cwd, expects });
    const hasStack = existsSync(layout.stackFile);
    const needs = {
      root: layout.root,
      runtime,
      python: settings.shrinkwrap === undefined,
      rust: settings.tmkVmm === undefined,
      // An update reuses the space of the installation.
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
    const imageStep = image.step === undefined ? [] : [image.step];
    const rustc = await versionOf('rustc', request.env);
    const tmkVmm =
      settings.tmkVmm === undefined
        ? [
            checkout('openvmm', '2 min, 200 MB'),
            buildTmkVmmStep(layout.tmkVmmFolders, rustc, jobs),
            buildSimpleTmkStep(layout.simpleTmkFolders, rustc, jobs),
          ]
        : [givenTmkVmmStep(layout.tmkVmm, settings.tmkVmm, await digestGiven('--tmk-vmm', settings.tmkVmm))];
    const fresh = request.rebuild.includes('rootfs') ? ['buildroot'] : [];
    return [
      prerequisitesStep(async () => await findShortages(needs)),
      ...tool,
      overlaysStep(layout, lock),
      checkout('plane0-linux', '5 min, 2 GB'),
      plane0KernelStep(layout.plane0Folders, compiler, jobs),
      ...imageStep,
      firmwareStep(layout, lock, { command, after: 'shrinkwrap', runtime, image, jobs, fresh }),
      ...tmkVmm,
      sealStep(layout, lock, {
        command,
        runtime,
        image,
        hasVenv: settings.shrinkwrap === undefined,
        unused,
        simpleTmk: settings.tmkVmm === undefined,
        after: [
          'shrinkwrap',
          'overlays',
          'plane0-kernel',
          'firmware',
          ...[...imageStep, ...tmkVmm].map(({ name }) => name),
        ],
      }),
    ];
  }
}

/** What the registry hands to `petri cca`. */
export const stackManager: StackManager = new FvpStackManager();

/** The options given now, else those given before. 'own' resets an earlier choice. */
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

/** Uses the user's shrinkwrap instead of our own. */
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

/** Steps to force. Their builds also remove old objects: see `fresh`. */
function forced(request: StackRequest, image: ContainerImage): ReadonlySet<string> {
  const steps = { 'plane0-linux': ['plane0-kernel'], rootfs: ['firmware'], tmk: ['tmk-vmm', 'simple-tmk'] } as const;
  const tag = request.refresh && image.step !== undefined ? [image.step.name] : [];
  return new Set([...request.rebuild.flatMap((target) => steps[target]), ...tag]);
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

function notes(lock: LockFile, settings: StackSettings, unused: ReadonlySet<string>): string[] {
  return [
    ...forkNotes(lock, unused),
    ...(settings.tmkVmm === undefined
      ? ['a tmk_vmm that you have is taken instead of being built: --tmk-vmm PATH']
      : []),
  ];
}
