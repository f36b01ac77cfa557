import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hostAgentStage, bootSigns, HOST_CONSOLE } from '../../../petri/kit/cca/host/index.ts';
import { initramfs } from '../../../petri/kit/image/index.ts';
import type { Board } from '../cca/board.ts';
import { stageBudgets } from '../cca/budgets.ts';
import type { InstalledStack } from '../stack/installed.ts';

const prepared = resolve('.petri/linux');
const sources = join(import.meta.dirname, 'plain-host');

/** Whether `petri linux install` has been run. */
export function plainHostIsPrepared(): boolean {
  return ['vmlinuz', 'busybox', 'modules/load'].every((name) => existsSync(join(prepared, name)));
}

/** Programs of the host: links to busybox. */
const programs = ['bin/sh', 'bin/mount', 'sbin/init', 'sbin/poweroff'];

/**
 * Makes the files that a machine with realms boots, with Debian's kernel as its host and shims for kvmtool and tmk_vmm:
 * everything above them is what users have.
 */
export function makePlainHost(folder: string): InstalledStack {
  const busybox = join(prepared, 'busybox');
  const tree = join(folder, 'tree');
  for (const name of ['bin', 'sbin', 'etc/init.d', 'dev', 'proc', 'sys', 'root', 'tmp']) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  copyFileSync(busybox, join(tree, 'bin/busybox'));
  chmodSync(join(tree, 'bin/busybox'), 0o755);
  const applets = [
    'umount',
    'cat',
    'cp',
    'mv',
    'rm',
    'mkdir',
    'stty',
    'sleep',
    'sync',
    'setsid',
    'chroot',
    'kill',
    'uname',
  ];
  for (const link of [...programs, ...applets.map((name) => `bin/${name}`)])
    symlinkSync('/bin/busybox', join(tree, link));
  writeFileSync(join(tree, 'etc/inittab'), '::sysinit:/etc/init.d/rcS\n');
  copyFileSync(join(sources, 'rcS'), join(tree, 'etc/init.d/rcS'));
  chmodSync(join(tree, 'etc/init.d/rcS'), 0o755);
  const rootfs = join(folder, 'rootfs.ext4');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', tree, rootfs, '24M'], { timeout: 60_000 });

  const flash = join(folder, 'initramfs');
  const load = readFileSync(join(prepared, 'modules/load'));
  const modules = load
    .toString()
    .split('\n')
    .filter((name) => name !== '');
  writeFileSync(
    flash,
    initramfs([
      { kind: 'directory', path: '/dev' },
      { kind: 'directory', path: '/host' },
      { kind: 'character-device', path: '/dev/console', major: 5, minor: 1 },
      { kind: 'file', path: '/bin/busybox', content: readFileSync(busybox), mode: 0o755 },
      { kind: 'file', path: '/init', content: readFileSync(join(sources, 'start.sh')), mode: 0o755 },
      { kind: 'file', path: '/modules/load', content: load },
      ...modules.map((name) => ({
        kind: 'file' as const,
        path: `/modules/${name}`,
        content: readFileSync(join(prepared, 'modules', name)),
      })),
    ]),
  );
  const plane0Kernel = join(folder, 'Image');
  writeFileSync(plane0Kernel, 'nobody boots this');
  return {
    version: 1,
    lockDigest: 'none',
    files: {
      flash,
      hostKernel: join(prepared, 'vmlinuz'),
      rootfs,
      plane0Kernel,
      lkvm: join(sources, 'lkvm'),
      tmkVmm: join(sources, 'tmk_vmm'),
    },
    revisions: { linux: readFileSync(join(prepared, 'versions'), 'utf8').trim() },
  };
}

/** A machine without RME, which every QEMU has. Its "flash" is the initramfs that mounts the root file system. */
export const plainBoard: Board = {
  arguments: ({ flash, hostKernel }) => [
    ...['-machine', 'virt', '-cpu', 'max,pauth-impdef=on,sve=off,sme=off'],
    ...['-kernel', hostKernel, '-initrd', flash, '-append', 'console=ttyAMA0'],
  ],
  stages: (nonce) => [
    {
      name: 'host kernel',
      console: HOST_CONSOLE,
      marker: bootSigns['host kernel'],
      deadline: stageBudgets['host kernel'],
    },
    hostAgentStage(nonce, stageBudgets['host agent']),
  ],
};
