import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import {
  crossCompile,
  digestFiles,
  expectFormat,
  formats,
  linuxKernelStep,
  publishFile,
  type StackCommand,
  type StackStep,
} from '../../../petri/kit/stack/index.ts';
import type { StackLayout } from './layout.ts';

/** Builds Linux for the host. Whether KVM supports realms depends on the source: there is no option for it. */
export function hostKernelStep(layout: StackLayout, compiler: string, jobs: number): StackStep {
  const kernel = {
    name: 'host-kernel',
    title: 'Build Linux for the host',
    after: 'host-linux-source',
    source: layout.source('host-linux'),
    objects: layout.objects('host-linux'),
    target: layout.hostKernel,
    enable: [
      ['VIRTUALIZATION', 'KVM', 'DEVTMPFS', 'DEVTMPFS_MOUNT', 'EXT4_FS'],
      ['PCI', 'PCI_HOST_GENERIC', 'VIRTIO_PCI', 'VIRTIO_BLK'],
      ['SERIAL_AMBA_PL011', 'SERIAL_AMBA_PL011_CONSOLE'],
      // Each tick is expensive under emulation.
      ['HZ_100'],
    ].flat(),
    disable: ['HZ_250', 'RANDOMIZE_BASE', 'LOCALVERSION_AUTO'],
    indispensable: [],
    builtIn: [
      ...['KVM', 'EXT4_FS', 'DEVTMPFS_MOUNT', 'PCI_HOST_GENERIC', 'VIRTIO_PCI', 'VIRTIO_BLK'],
      'SERIAL_AMBA_PL011_CONSOLE',
    ],
    remedy: 'the host boots from a virtio disk without modules: give another kernel with --source host-linux=URL@REV',
  };
  return linuxKernelStep(kernel, compiler, jobs);
}

/** Builds kvmtool, statically linked, and the libfdt that it needs. */
export function kvmtoolStep(layout: StackLayout, compiler: string, jobs: number): StackStep {
  const dtc = layout.source('dtc');
  const source = layout.source('kvmtool');
  const clean = (folder: string): StackCommand => ({ argv: ['git', '-C', folder, 'clean', '--quiet', '-ffdx'] });
  const tools = [`CC=${crossCompile}gcc`, `AR=${crossCompile}ar`];
  const library: StackCommand = {
    argv: ['make', '-C', dtc, ...tools, 'NO_PYTHON=1', 'NO_YAML=1', 'NO_VALGRIND=1', 'libfdt/libfdt.a'],
  };
  const options = ['ARCH=arm64', `CROSS_COMPILE=${crossCompile}`, `LIBFDT_DIR=${join(dtc, 'libfdt')}`, 'WERROR=0'];
  const build: StackCommand = { argv: ['make', '-C', source, ...options, `-j${String(jobs)}`, 'lkvm-static'] };
  const commands = [clean(dtc), library, clean(source), build];
  return {
    name: 'lkvm',
    title: 'Build kvmtool',
    inputs: { compiler, options: options.join(' ') },
    after: ['dtc-source', 'kvmtool-source'],
    commands,
    expects: '1 min, 50 MB',
    async run(context) {
      for (const command of commands) await context.command(command);
      await publishFile(join(source, 'lkvm-static'), layout.lkvm, 0o755);
    },
    async inspect() {
      const evidence = await digestFiles({ lkvm: layout.lkvm });
      await expectFormat(layout.lkvm, formats.aarch64Elf);
      return evidence;
    },
  };
}

/** Changes to busybox's default configuration. `tc` does not build with the headers of a recent Linux. */
const busyboxChanges: Readonly<Record<string, boolean>> = { CONFIG_STATIC: true, CONFIG_TC: false };

/** Builds busybox, statically linked. */
export function busyboxStep(layout: StackLayout, compiler: string, jobs: number): StackStep {
  const objects = layout.objects('busybox');
  const config = join(objects, '.config');
  const kbuild = ['-C', layout.source('busybox'), `O=${objects}`, 'ARCH=arm64', `CROSS_COMPILE=${crossCompile}`];
  const make = (...args: string[]): StackCommand => ({
    argv: ['make', ...kbuild, ...args],
    env: { SOURCE_DATE_EPOCH: '0' },
    unattended: true,
  });
  const defconfig = make('defconfig');
  const complete = make('oldconfig');
  const build = make(`-j${String(jobs)}`, 'busybox', 'busybox.links');
  return {
    name: 'busybox',
    title: 'Build busybox for the root file system',
    inputs: { compiler, options: JSON.stringify(busyboxChanges), make: kbuild.join(' ') },
    after: ['busybox-source'],
    commands: [defconfig, complete, build],
    expects: '2 min, 50 MB',
    async run(context) {
      await rm(objects, { recursive: true, force: true });
      await mkdir(objects, { recursive: true });
      await context.command(defconfig);
      await writeFile(config, changed(await readFile(config, 'utf8')));
      await context.command(complete);
      await context.command(build);
      await publishFile(join(objects, 'busybox'), layout.busybox, 0o755);
      await publishFile(join(objects, 'busybox.links'), layout.busyboxLinks, 0o644);
    },
    async inspect() {
      const evidence = await digestFiles({ busybox: layout.busybox, links: layout.busyboxLinks });
      await expectFormat(layout.busybox, formats.aarch64Elf);
      return evidence;
    },
  };
}

function changed(config: string): string {
  const others = config.split('\n').filter((line) => {
    const [, option] = /^(?:# )?(CONFIG_\w+)[= ]/.exec(line) ?? [];
    return option === undefined || !Object.hasOwn(busyboxChanges, option);
  });
  const own = Object.entries(busyboxChanges).map(([name, on]) => (on ? `${name}=y` : `# ${name} is not set`));
  return [...others, ...own, ''].join('\n');
}
