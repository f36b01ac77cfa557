import { chmod, copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { PetriError } from '../../../petri/errors.ts';
import { checkImage, createImage } from '../../../petri/kit/image/index.ts';
import { ask, crossCompile, digestFiles, type Evidence, type StackStep } from '../../../petri/kit/stack/index.ts';
import type { StackLayout } from './layout.ts';

/** Copies grow when files are added. */
const SIZE = 64 * 2 ** 20;

/**
 * Libraries that tmk_vmm is linked with, from the cross compiler. Plane 0 sees /lib of the host, since kvmtool shares
 * the host's file system with it.
 */
const libraries = {
  needed: ['ld-linux-aarch64.so.1', 'libc.so.6', 'libm.so.6', 'libgcc_s.so.1'],
  /** Empty since glibc 2.34, but needed by programs that were linked before. */
  old: ['libpthread.so.0', 'libdl.so.2', 'librt.so.1'],
} as const;

/** The library in the image whose version decides which programs run. */
export const libc = '/lib/libc.so.6';

/** Commands of busybox that the agents and the backend use. */
const indispensable = ['/bin/sh', '/bin/stty', '/bin/mount', '/sbin/init', '/sbin/poweroff'];

const folders = ['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'mnt', 'var', 'home', 'lib'];

const files: Readonly<Record<string, { readonly text: string; readonly mode?: number }>> = {
  '/etc/inittab': {
    text: ['::sysinit:/etc/init.d/rcS', '::ctrlaltdel:/sbin/reboot', '::shutdown:/bin/umount -a -r', ''].join('\n'),
  },
  '/etc/init.d/rcS': {
    mode: 0o755,
    text: [
      '#!/bin/sh',
      '# Made by petri-vm: what has to be there before the scripts of services run.',
      'mount -t proc proc /proc',
      'mount -t sysfs sysfs /sys',
      '[ -c /dev/null ] || mount -t devtmpfs devtmpfs /dev',
      'mkdir -p /dev/pts',
      'mount -t devpts devpts /dev/pts',
      'mount -t tmpfs tmpfs /run',
      'mount -t tmpfs tmpfs /tmp',
      'for script in /etc/init.d/S*; do',
      '    [ -x "$script" ] && "$script" start',
      'done',
      '',
    ].join('\n'),
  },
  '/etc/passwd': { text: 'root::0:0:root:/root:/bin/sh\n' },
  '/etc/group': { text: 'root:x:0:\n' },
  '/etc/hostname': { text: 'petri-host\n' },
};

/** Makes the root file system of the host: busybox, and the libraries that tmk_vmm is linked with. */
export function rootfsStep(layout: StackLayout, compiler: string): StackStep {
  const tree = layout.objects('rootfs');
  return {
    name: 'rootfs',
    title: 'Make the root file system of the host',
    inputs: { compiler, files: JSON.stringify(files), libraries: JSON.stringify(libraries), size: String(SIZE) },
    after: ['busybox'],
    commands: [],
    async run(context) {
      await rm(tree, { recursive: true, force: true });
      for (const folder of folders) await mkdir(join(tree, folder), { recursive: true });
      await installBusybox(layout, tree);
      for (const [path, { text, mode }] of Object.entries(files)) await put(tree, path, text, mode ?? 0o644);
      await installLibraries(tree);
      await mkdir(dirname(layout.rootfs), { recursive: true });
      await createImage({ folder: tree, target: layout.rootfs, size: SIZE, signal: context.signal });
    },
    async inspect(): Promise<Evidence> {
      const evidence = await digestFiles({ 'rootfs.ext4': layout.rootfs });
      await checkImage(layout.rootfs);
      return evidence;
    },
  };
}

async function installBusybox(layout: StackLayout, tree: string): Promise<void> {
  const program = join(tree, 'bin', 'busybox');
  await mkdir(dirname(program), { recursive: true });
  await copyFile(layout.busybox, program);
  await chmod(program, 0o755);
  const links = (await readFile(layout.busyboxLinks, 'utf8')).split('\n').filter((line) => line !== '');
  const wrong = links.find((link) => !/^(?:\/[\w.[-]+)+$/.test(link) || link.includes('..'));
  if (wrong !== undefined) throw unusable(`it would be the command '${wrong}'`);
  const missing = indispensable.filter((command) => !links.includes(command));
  if (missing.length > 0) throw unusable(`it does not have ${missing.join(', ')}`);
  for (const link of links) {
    const path = join(tree, link);
    await mkdir(dirname(path), { recursive: true });
    await symlink('/bin/busybox', path);
  }
}

function unusable(why: string): PetriError {
  return new PetriError(`the busybox that was built is unusable as a root file system: ${why}`, {
    code: 'tool-failed',
    step: 'install',
    remedy: 'give another one with --source busybox=URL@REV',
  });
}

async function installLibraries(tree: string): Promise<void> {
  for (const name of [...libraries.needed, ...libraries.old]) {
    const path = await ask([`${crossCompile}gcc`, `-print-file-name=${name}`]);
    // What it does not have it names without a folder.
    if (path.startsWith('/')) {
      await copyFile(path, join(tree, 'lib', name));
      await chmod(join(tree, 'lib', name), 0o755);
      continue;
    }
    if (libraries.needed.some((needed) => needed === name)) {
      throw new PetriError(`the cross compiler has no ${name}, which programs in plane 0 are linked with`, {
        code: 'tool-missing',
        step: 'install',
        remedy: 'sudo apt-get install libc6-dev-arm64-cross libgcc-s1-arm64-cross',
      });
    }
  }
}

async function put(tree: string, path: string, text: string, mode: number): Promise<void> {
  const target = join(tree, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
  await chmod(target, mode);
}
