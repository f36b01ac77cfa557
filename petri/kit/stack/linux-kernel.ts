import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { digestFiles, publishFile } from './files.ts';
import { expectFormat, formats } from './formats.ts';
import type { StackCommand, StackStep } from './step.ts';

/** The cross compiler's prefix in Debian. */
export const crossCompile = 'aarch64-linux-gnu-';

/** An arm64 Linux to build: the defconfig of its source, with changes. Options are without `CONFIG_`. */
export interface LinuxKernel {
  readonly name: string;
  readonly title: string;
  /** Step that provides the source. */
  readonly after: string;
  readonly source: string;
  /** Folder of intermediate files. */
  readonly objects: string;
  /** Where the Image is put. */
  readonly target: string;
  readonly enable: readonly string[];
  readonly disable?: readonly string[];
  /** Options that it must have; a kernel that does not know an option drops it silently. */
  readonly indispensable: readonly string[];
  /** Options that must be built in, since modules could not be loaded in time. */
  readonly builtIn?: readonly string[];
  /** What to do about a source that does not have them. */
  readonly remedy: string;
}

/** Configures and builds a Linux. */
export function linuxKernelStep(kernel: LinuxKernel, compiler: string, jobs: number): StackStep {
  const { source, objects, enable, disable = [] } = kernel;
  const config = join(objects, '.config');
  // The build must be reproducible.
  const env = {
    KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
    KBUILD_BUILD_USER: 'petri',
    KBUILD_BUILD_HOST: 'petri',
  };
  const kbuild = ['-C', source, `O=${objects}`, 'ARCH=arm64', `CROSS_COMPILE=${crossCompile}`];
  const make = (...args: string[]): StackCommand => ({ argv: ['make', ...kbuild, ...args], env });
  const changes = [
    ...enable.flatMap((option) => ['--enable', `CONFIG_${option}`]),
    ...disable.flatMap((option) => ['--disable', `CONFIG_${option}`]),
  ];
  const defconfig = make('defconfig');
  const configure: StackCommand = { argv: [join(source, 'scripts', 'config'), '--file', config, ...changes] };
  const complete = make('olddefconfig');
  const build = make(`-j${String(jobs)}`, 'Image');
  return {
    name: kernel.name,
    title: kernel.title,
    inputs: {
      compiler,
      options: [...enable, ...disable.map((option) => `no ${option}`)].join(' '),
      make: kbuild.join(' '),
    },
    after: [kernel.after],
    commands: [defconfig, configure, complete, build],
    expects: '5 to 40 min, 4 GB',
    async run(context) {
      if (context.interrupted) await rm(objects, { recursive: true, force: true });
      await mkdir(objects, { recursive: true });
      await context.command(defconfig);
      await context.command(configure);
      await context.command(complete);
      await expectOptions(config, kernel);
      await context.command(build);
      await publishFile(join(objects, 'arch', 'arm64', 'boot', 'Image'), kernel.target, 0o644);
    },
    async inspect() {
      const evidence = await digestFiles({ Image: kernel.target });
      await expectFormat(kernel.target, formats.arm64Image);
      return evidence;
    },
  };
}

async function expectOptions(config: string, { indispensable, builtIn = [], remedy }: LinuxKernel): Promise<void> {
  const set = new Set((await readFile(config, 'utf8')).split('\n'));
  const isBuiltIn = (option: string): boolean => set.has(`CONFIG_${option}=y`);
  const dropped = [
    ...indispensable.filter((option) => !isBuiltIn(option) && !set.has(`CONFIG_${option}=m`)),
    ...builtIn.filter((option) => !isBuiltIn(option)),
  ];
  if (dropped.length === 0) return;
  throw new PetriError(`this kernel cannot have ${dropped.map((option) => `CONFIG_${option}`).join(', ')}`, {
    code: 'tool-failed',
    step: 'install',
    remedy,
  });
}
