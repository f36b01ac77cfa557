import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { artifactsFolder } from '../../../petri/artifacts/index.ts';
import { PetriError } from '../../../petri/errors.ts';
import {
  buildSimpleTmkStep,
  buildTmkVmmStep,
  crossCompile,
  describeSources,
  digestGiven,
  forkNotes,
  givenTmkVmmStep,
  lockedCheckoutStep,
  plane0KernelStep,
  type PreparedStack,
  prerequisitesStep,
  readSettings,
  resolveLock,
  resolveRef,
  type StackManager,
  type StackRequest,
  type StackStep,
  versionOf,
  writeAtomically,
  writeSettings,
} from '../../../petri/stack/index.ts';
import { edk2Step, rmmStep, tfaStep } from './firmware.ts';
import { flashStep } from './flash.ts';
import { busyboxStep, hostKernelStep, kvmtoolStep } from './host-programs.ts';
import { readInstalledStack, stackRoot } from './installed.ts';
import { StackLayout } from './layout.ts';
import { type LockFile, lockFormat, type sourceNames } from './lock-file.ts';
import { findShortages } from './prerequisites.ts';
import { qemuStep } from './qemu-program.ts';
import { rootfsStep } from './rootfs.ts';
import { sealStep } from './seal.ts';
import { chosenSettings, qemuChoice, settingsSchema, type StackSettings } from './settings.ts';

/** GiB that a whole stack takes while it is built, and that its machine needs of memory. */
export const room = { disk: 30, memory: 4 } as const;

/** The stack of realms on QEMU for `petri cca --platform=qemu`. */
export class QemuStackManager implements StackManager {
  readonly options = ['tmk-vmm', 'qemu'] as const;
  readonly rootVariable = 'PETRI_QEMU_CCA_ROOT';
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
      ...(settings.qemu === 'own' ? [] : ['qemu']),
    ]);
    const base = await lockFormat.read(settings.lockFile ?? join(artifactsFolder(), 'cca', 'qemu.lock.yaml'));
    // What was replaced in one lock file says nothing about another.
    const hasOwn = before.lockFile === settings.lockFile && existsSync(layout.ownLock);
    const lock = await resolveLock({
      format: lockFormat,
      base,
      own: hasOwn ? await lockFormat.read(layout.ownLock) : undefined,
      overrides: request.sources,
      refresh: request.refresh,
      unused,
      ask: request.dryRun ? undefined : resolveRef,
    });
    const steps = await this.#steps(request, layout, settings, lock, unused);
    const begin = async (): Promise<void> => {
      await writeAtomically(layout.ownLock, lockFormat.format(lock));
      await writeSettings(layout.root, settings);
    };
    return {
      plan: { root: layout.root, steps, seal: layout.stackFile, begin, notes: notes(lock, settings, unused) },
      force: new Set(request.rebuild.flatMap((target) => rebuilt[target])),
      sources: describeSources(lock, unused),
      lock: { path: layout.ownLock, digest: lockFormat.digest(lock) },
    };
  }

  async #steps(
    request: StackRequest,
    layout: StackLayout,
    settings: StackSettings,
    lock: LockFile,
    unused: ReadonlySet<string>,
  ): Promise<StackStep[]> {
    const { env, cwd } = request;
    const jobs = request.jobs ?? availableParallelism();
    const qemu = qemuChoice(settings, env);
    const compilers = { cross: await versionOf(`${crossCompile}gcc`, env), native: await versionOf('gcc', env) };
    const checkout = (name: (typeof sourceNames)[number], expects: string, submodules = false): StackStep =>
      lockedCheckoutStep(lock, name, { folder: layout.source(name), cwd, expects, submodules });
    const folders = (name: string, target: string) => ({
      source: layout.source(name),
      objects: layout.objects(name),
      target,
    });
    const needs = {
      root: layout.root,
      qemu,
      rust: settings.tmkVmm === undefined,
      // An update works in the room that the installation took.
      disk: existsSync(layout.stackFile) ? Math.min(this.#room.disk, 5) : this.#room.disk,
      memory: this.#room.memory,
      env,
    };
    const rustc = await versionOf('rustc', env);
    const tmkVmm =
      settings.tmkVmm === undefined
        ? [
            checkout('openvmm', '2 min, 200 MB'),
            buildTmkVmmStep(folders('openvmm', layout.tmkVmm), rustc, jobs),
            buildSimpleTmkStep(
              { ...folders('openvmm', layout.simpleTmk), objects: layout.objects('simple-tmk') },
              rustc,
              jobs,
            ),
          ]
        : [givenTmkVmmStep(layout.tmkVmm, settings.tmkVmm, await digestGiven('--tmk-vmm', settings.tmkVmm))];
    if (qemu.kind === 'given') await digestGiven('--qemu', qemu.path);
    return [
      prerequisitesStep(async () => await findShortages(needs)),
      ...(qemu.kind === 'own' ? [checkout('qemu', '3 min, 600 MB')] : []),
      qemuStep(layout, qemu, compilers.native, jobs),
      checkout('tfrmm', '2 min, 300 MB', true),
      rmmStep(layout, lock, compilers, jobs),
      checkout('edk2', '5 min, 1 GB', true),
      edk2Step(layout, compilers, jobs),
      checkout('tfa', '1 min, 100 MB'),
      tfaStep(layout, lock, compilers, jobs),
      flashStep(layout),
      checkout('host-linux', '5 min, 2 GB'),
      hostKernelStep(layout, compilers.cross, jobs),
      checkout('plane0-linux', '5 min, 2 GB'),
      plane0KernelStep(folders('plane0-linux', layout.plane0Kernel), compilers.cross, jobs),
      checkout('dtc', '1 min, 5 MB'),
      checkout('kvmtool', '1 min, 10 MB'),
      kvmtoolStep(layout, compilers.cross, jobs),
      checkout('busybox', '1 min, 20 MB'),
      busyboxStep(layout, compilers.cross, jobs),
      rootfsStep(layout, compilers.cross),
      ...tmkVmm,
      sealStep(layout, lock, {
        qemu,
        unused,
        simpleTmk: settings.tmkVmm === undefined,
        after: ['qemu', 'flash', 'host-kernel', 'plane0-kernel', 'lkvm', 'rootfs', ...tmkVmm.map(({ name }) => name)],
      }),
    ];
  }
}

/** What the registry hands to `petri cca`. */
export const stackManager: StackManager = new QemuStackManager();

/** Steps of what `--rebuild-…` names. Each of them builds without what it left before but the kernel's, whose makefiles see changes. */
const rebuilt = {
  'plane0-linux': ['plane0-kernel'],
  rootfs: ['busybox', 'rootfs'],
  tmk: ['tmk-vmm', 'simple-tmk'],
} as const;

function notes(lock: LockFile, settings: StackSettings, unused: ReadonlySet<string>): string[] {
  return [
    ...forkNotes(lock, unused),
    ...(settings.tmkVmm === undefined
      ? ['a tmk_vmm that you have is taken instead of being built: --tmk-vmm PATH']
      : []),
    ...(settings.qemu === undefined
      ? ['QEMU is the one that is installed; another: --qemu PATH; to build it: --qemu own']
      : []),
  ];
}
