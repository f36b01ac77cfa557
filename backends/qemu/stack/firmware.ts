import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import {
  crossCompile,
  digestFile,
  digestFiles,
  expectFipContents,
  publishFile,
  type StackCommand,
  type StackStep,
  submodulesCommand,
} from '../../../petri/kit/stack/index.ts';
import type { StackLayout } from './layout.ts';
import type { LockFile } from './lock-file.ts';

/** Versions of the compilers that build firmware. */
export interface Compilers {
  readonly cross: string;
  readonly native: string;
}

/** Replaces dates that tools would put into their output. */
const undated = { SOURCE_DATE_EPOCH: '0' };

/** Builds TF-RMM for the `virt` machine. */
export function rmmStep(layout: StackLayout, lock: LockFile, compilers: Compilers, jobs: number): StackStep {
  const source = layout.source('tfrmm');
  const objects = layout.objects('tfrmm');
  const env = { ...undated, CROSS_COMPILE: crossCompile };
  const settings = Object.entries(lock.options.tfrmm).map(([name, value]) => `-D${name}=${value}`);
  // The build patches its submodules, and would patch them twice.
  const restore = submodulesCommand(source);
  const configure: StackCommand = { argv: ['cmake', ...settings, '-S', source, '-B', objects], env };
  const build: StackCommand = { argv: ['cmake', '--build', objects, '--parallel', String(jobs)], env };
  return {
    name: 'rmm',
    title: 'Build the RMM',
    inputs: { compiler: compilers.cross, options: settings.join(' '), objects },
    after: ['tfrmm-source'],
    commands: [restore, configure, build],
    expects: '2 min, 300 MB',
    async run(context) {
      await rm(objects, { recursive: true, force: true });
      await mkdir(objects, { recursive: true });
      for (const command of [restore, configure, build]) await context.command(command);
      const folder = lock.options.tfrmm['CMAKE_BUILD_TYPE'] ?? 'Release';
      await publishFile(join(objects, folder, 'rmm.img'), layout.rmm, 0o644);
    },
    inspect: async () => await digestFiles({ 'rmm.img': layout.rmm }),
  };
}

/**
 * edksetup.sh can only be sourced, and would use the caller's arguments, unless the caller is a function without any.
 * The text is the same for every build.
 */
const inEdk2 = 'setup() { . ./edksetup.sh; }; setup && exec build "$@"';

/**
 * Builds the EDK2 that gets a kernel and its command line from QEMU (`ArmVirtPkg/ArmVirtQemuKernel.dsc`), which TF-A
 * starts as BL33.
 */
export function edk2Step(layout: StackLayout, compilers: Compilers, jobs: number): StackStep {
  const source = layout.source('edk2');
  const env = {
    ...undated,
    GCC5_AARCH64_PREFIX: crossCompile,
    GCC_AARCH64_PREFIX: crossCompile,
    PYTHON_COMMAND: 'python3',
  };
  const platform = ['-a', 'AARCH64', '-b', 'RELEASE', '-t', 'GCC5', '-p', 'ArmVirtPkg/ArmVirtQemuKernel.dsc'];
  const clean: StackCommand = { argv: ['git', '-C', source, 'clean', '--quiet', '-ffdx'] };
  const tools: StackCommand = { argv: ['make', '-C', join(source, 'BaseTools'), `-j${String(jobs)}`], env };
  const build: StackCommand = {
    argv: ['bash', '-c', inEdk2, 'bash', '-q', ...platform, '-n', String(jobs)],
    cwd: source,
    env,
  };
  const built = join(source, 'Build', 'ArmVirtQemuKernel-AARCH64', 'RELEASE_GCC5', 'FV', 'QEMU_EFI.fd');
  return {
    name: 'edk2',
    title: 'Build EDK2',
    inputs: { compilers: `${compilers.cross}; ${compilers.native}`, build: platform.join(' '), source },
    after: ['edk2-source'],
    commands: [clean, tools, build],
    expects: '5 min, 1 GB',
    async run(context) {
      for (const command of [clean, tools, build]) await context.command(command);
      await publishFile(built, layout.edk2, 0o644);
    },
    inspect: async () => await digestFiles({ 'QEMU_EFI.fd': layout.edk2 }),
  };
}

/** What TF-A starts in the Normal world. */
export interface Bl33 {
  /** The step that makes it. */
  readonly step: StackStep;
  readonly path: string;
}

/** Uses a BL33 that the user has. */
export function givenBl33Step(layout: StackLayout, path: string, digest: string): StackStep {
  return {
    name: 'bl33',
    title: `Take BL33 from ${path}`,
    inputs: { path, digest },
    commands: [],
    async run() {
      await publishFile(path, layout.bl33, 0o644);
      if ((await digestFile(layout.bl33)) !== digest) throw new Error(`${path} changed while it was copied`);
    },
    inspect: async () => await digestFiles({ 'bl33.bin': layout.bl33 }),
  };
}

/** Builds TF-A with the RMM and BL33 in its firmware image package. */
export function tfaStep(
  layout: StackLayout,
  lock: LockFile,
  { compilers, jobs, bl33 }: { readonly compilers: Compilers; readonly jobs: number; readonly bl33: Bl33 },
): StackStep {
  const source = layout.source('tfa');
  const objects = layout.objects('tfa');
  const options = Object.entries(lock.options.tfa).map(([name, value]) => `${name}=${value}`);
  const images = [`BL33=${bl33.path}`, `RMM=${layout.rmm}`];
  const clean: StackCommand = { argv: ['git', '-C', source, 'clean', '--quiet', '-ffdx'] };
  const variables = ['PLAT=qemu', `BUILD_BASE=${objects}`, `CROSS_COMPILE=${crossCompile}`, ...options, ...images];
  const build: StackCommand = {
    argv: ['make', '-C', source, ...variables, `-j${String(jobs)}`, 'all', 'fip'],
    env: undated,
  };
  return {
    name: 'tfa',
    title: 'Build TF-A',
    inputs: { compilers: `${compilers.cross}; ${compilers.native}`, options: options.join(' '), objects },
    after: ['tfa-source', 'rmm', bl33.step.name],
    commands: [clean, build],
    expects: '1 min, 100 MB',
    async run(context) {
      // TF-A's makefiles do not notice changed options.
      await rm(objects, { recursive: true, force: true });
      await mkdir(objects, { recursive: true });
      await context.command(clean);
      await context.command(build);
      const folder = join(objects, 'qemu', lock.options.tfa['DEBUG'] === '1' ? 'debug' : 'release');
      await publishFile(join(folder, 'bl1.bin'), layout.bl1, 0o644);
      await publishFile(join(folder, 'fip.bin'), layout.fip, 0o644);
    },
    async inspect() {
      const evidence = await digestFiles({ 'bl1.bin': layout.bl1, 'fip.bin': layout.fip });
      await expectFipContents(layout.fip, ['BL2', 'BL31', 'RMM', 'BL33'], { RMM: layout.rmm, BL33: bl33.path });
      return evidence;
    },
  };
}
