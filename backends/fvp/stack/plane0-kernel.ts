import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { PetriError } from '../../../petri/errors.ts';
import { digestFiles, publishFile, type StackCommand, type StackStep } from '../../../petri/stack/index.ts';
import { expectFormat, formats } from './formats.ts';
import type { StackLayout } from './layout.ts';

/** What Linux needs on top of its defconfig to be plane 0: a realm guest, with a 9p file system and OpenVMM's VTL driver. */
const options = [
  ['VIRT_DRIVERS', 'ARM_CCA_GUEST'],
  ['NET_9P', 'NET_9P_FD', 'NET_9P_VIRTIO', '9P_FS'],
  ['HYPERV', 'HYPERV_MSHV', 'MSHV', 'MSHV_VTL', 'HYPERV_VTL_MODE'],
].flat();

/** Those without which tmk_vmm could not run; a kernel that does not know them would drop them without a word. */
const indispensable = ['ARM_CCA_GUEST', 'NET_9P_VIRTIO', '9P_FS', 'MSHV_VTL'];

/** The compiler's prefix, as Debian's package names it. */
export const crossCompile = 'aarch64-linux-gnu-';

/** Configures and builds Linux for plane 0. */
export function plane0KernelStep(layout: StackLayout, compiler: string, jobs: number): StackStep {
  const source = layout.source('plane0-linux');
  const objects = layout.objects('plane0-linux');
  const config = join(objects, '.config');
  // The same source has to give the same bytes.
  const env = {
    KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
    KBUILD_BUILD_USER: 'petri',
    KBUILD_BUILD_HOST: 'petri',
  };
  const kbuild = ['-C', source, `O=${objects}`, 'ARCH=arm64', `CROSS_COMPILE=${crossCompile}`];
  const make = (...args: string[]): StackCommand => ({ argv: ['make', ...kbuild, ...args], env });
  const enable = options.flatMap((option) => ['--enable', `CONFIG_${option}`]);
  const defconfig = make('defconfig');
  const configure: StackCommand = { argv: [join(source, 'scripts', 'config'), '--file', config, ...enable] };
  const complete = make('olddefconfig');
  const build = make(`-j${String(jobs)}`, 'Image');
  return {
    name: 'plane0-kernel',
    title: 'Build Linux for plane 0',
    inputs: { compiler, options: options.join(' '), make: kbuild.join(' ') },
    after: ['plane0-linux-source'],
    commands: [defconfig, configure, complete, build],
    expects: '5 to 40 min, 4 GB',
    async run(context) {
      if (context.interrupted) await rm(objects, { recursive: true, force: true });
      await mkdir(objects, { recursive: true });
      await context.command(defconfig);
      await context.command(configure);
      await context.command(complete);
      await expectOptions(config);
      await context.command(build);
      await publishFile(join(objects, 'arch', 'arm64', 'boot', 'Image'), layout.plane0Kernel, 0o644);
    },
    async inspect() {
      const evidence = await digestFiles({ Image: layout.plane0Kernel });
      await expectFormat(layout.plane0Kernel, formats.arm64Image);
      return evidence;
    },
  };
}

async function expectOptions(config: string): Promise<void> {
  const set = new Set((await readFile(config, 'utf8')).split('\n'));
  const dropped = indispensable.filter((option) => !set.has(`CONFIG_${option}=y`) && !set.has(`CONFIG_${option}=m`));
  if (dropped.length === 0) return;
  throw new PetriError(`this kernel cannot have ${dropped.map((option) => `CONFIG_${option}`).join(', ')}`, {
    code: 'tool-failed',
    step: 'install',
    remedy: 'plane 0 needs a kernel with these options: give one with --source plane0-linux=URL@REV',
  });
}
