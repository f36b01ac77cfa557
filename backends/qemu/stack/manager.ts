import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
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
} from '../../../petri/kit/stack/index.ts';
import { type Bl33, edk2Step, givenBl33Step, rmmStep, tfaStep } from './firmware.ts';
import { flashStep } from './flash.ts';
import { busyboxStep, hostKernelStep, kvmtoolStep } from './host-programs.ts';
import { readInstalledFirmware, readInstalledStack, stackRoot } from './installed.ts';
import { StackLayout } from './layout.ts';
import { type LockFile, lockFormat, sourceNames } from './lock-file.ts';
import { findShortages } from './prerequisites.ts';
import { qemuStep } from './qemu-program.ts';
import { rootfsStep } from './rootfs.ts';
import { sealFirmwareStep, sealStep } from './seal.ts';
import { chosenSettings, qemuChoice, settingsSchema, type StackSettings } from './settings.ts';

/** GiB of disk space for building a whole stack, and of memory for its machine. */
export const room = { disk: 30, memory: 4 } as const;

/** The stack for realms on QEMU, for `petri cca --platform=qemu`. */
export class QemuStackManager implements StackManager {
  readonly options = ['tmk-vmm', 'qemu', 'only', 'bl33'] as const;
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
      if (error instanceof PetriError && error.code === 'stack-missing') return readInstalledFirmware(root)?.revisions;
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
      ...(settings.bl33 === undefined ? [] : ['edk2']),
      ...(settings.only === 'firmware' ? sourceNames.filter((name) => !firmwareSources.has(name)) : []),
    ]);
    const base = await lockFormat.read(settings.lockFile ?? join(artifactsFolder(), 'cca', 'qemu.lock.yaml'));
    // Replacements in one lock file do not apply to another.
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
    const isFirmware = settings.only === 'firmware';
    const seal = isFirmware ? layout.firmwareFile : layout.stackFile;
    const begin = async (): Promise<void> => {
      // The old complete stack is no longer what was requested.
      await rm(isFirmware ? layout.stackFile : layout.firmwareFile, { force: true });
      await writeAtomically(layout.ownLock, lockFormat.format(lock));
      await writeSettings(layout.root, settings);
    };
    return {
      plan: { root: layout.root, steps, seal, begin, notes: notes(lock, settings, unused) },
      force: forced(request, settings),
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
    const firmwareOnly = settings.only === 'firmware';
    const needs = {
      root: layout.root,
      qemu,
      edk2: settings.bl33 === undefined,
      firmwareOnly,
      rust: settings.tmkVmm === undefined && !firmwareOnly,
      // An update reuses the space of the installation.
      disk: existsSync(layout.stackFile) || firmwareOnly ? Math.min(this.#room.disk, 5) : this.#room.disk,
      memory: firmwareOnly ? 0 : this.#room.memory,
      env,
    };
    const bl33: Bl33 =
      settings.bl33 === undefined
        ? { step: edk2Step(layout, compilers, jobs), path: layout.edk2 }
        : {
            step: givenBl33Step(layout, settings.bl33, await digestGiven('--bl33', settings.bl33)),
            path: layout.bl33,
          };
    const firmware = [
      checkout('tfrmm', '2 min, 300 MB', true),
      rmmStep(layout, lock, compilers, jobs),
      ...(settings.bl33 === undefined ? [checkout('edk2', '5 min, 1 GB', true)] : []),
      bl33.step,
      checkout('tfa', '1 min, 100 MB'),
      tfaStep(layout, lock, { compilers, jobs, bl33 }),
      flashStep(layout, bl33),
    ];
    const prerequisites = prerequisitesStep(async () => await findShortages(needs));
    if (firmwareOnly) return [prerequisites, ...firmware, sealFirmwareStep(layout, lock, { bl33, unused })];
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
      prerequisites,
      ...(qemu.kind === 'own' ? [checkout('qemu', '3 min, 600 MB')] : []),
      qemuStep(layout, qemu, compilers.native, jobs),
      ...firmware,
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

/** Steps for `--rebuild-…`. Each of them builds from scratch, except the kernel's, whose makefiles detect changes. */
const rebuilt = {
  'plane0-linux': ['plane0-kernel'],
  rootfs: ['busybox', 'rootfs'],
  tmk: ['tmk-vmm', 'simple-tmk'],
} as const;

/** Sources of firmware. */
const firmwareSources: ReadonlySet<string> = new Set(['tfrmm', 'tfa', 'edk2']);

/** @throws PetriError `invalid-option` for a part that is not installed */
function forced({ rebuild }: StackRequest, settings: StackSettings): ReadonlySet<string> {
  if (settings.only === 'firmware' && rebuild.length > 0) {
    throw new PetriError(
      `only firmware is installed here, and --rebuild-${rebuild.join(', --rebuild-')} is not part of it`,
      {
        code: 'invalid-option',
        step: 'options',
        remedy: 'leave it out, or install everything with --only=all',
      },
    );
  }
  return new Set(rebuild.flatMap((target) => rebuilt[target]));
}

function notes(lock: LockFile, settings: StackSettings, unused: ReadonlySet<string>): string[] {
  return [
    ...forkNotes(lock, unused),
    ...(settings.only === 'firmware' ? ['only firmware is installed; for everything: --only=all'] : []),
    ...(settings.tmkVmm === undefined && settings.only === undefined
      ? ['a tmk_vmm that you have is taken instead of being built: --tmk-vmm PATH']
      : []),
    ...(settings.qemu === undefined && settings.only === undefined
      ? ['QEMU is the one that is installed; another: --qemu PATH; to build it: --qemu own']
      : []),
  ];
}
