import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import { extractFile } from '../../../petri/kit/image/index.ts';
import {
  digestFile,
  expectDigests,
  lockedRevisions,
  type StackStep,
  writeAtomically,
} from '../../../petri/kit/stack/index.ts';
import type { Bl33 } from './firmware.ts';
import { type InstalledFirmware, type InstalledStack, readInstalledFirmware, readInstalledStack } from './installed.ts';
import type { StackLayout } from './layout.ts';
import { expectOldEnough } from './libc-version.ts';
import { type LockFile, lockFormat } from './lock-file.ts';
import { type QemuChoice, qemuVersion } from './qemu-program.ts';
import { libc } from './rootfs.ts';

export interface SealOptions {
  readonly qemu: QemuChoice;
  /** Sources that were not used. */
  readonly unused: ReadonlySet<string>;
  /** Whether simple_tmk was built. */
  readonly simpleTmk: boolean;
  /** Steps whose outputs form the stack. */
  readonly after: readonly string[];
}

/** Compares the outputs with the lock, and writes stack.json, which makes the stack complete. */
export function sealStep(layout: StackLayout, lock: LockFile, options: SealOptions): StackStep {
  return {
    name: 'verify',
    title: 'Verify everything and write stack.json',
    inputs: { lock: lockFormat.digest(lock), qemu: JSON.stringify(options.qemu) },
    after: options.after,
    commands: [],
    async run() {
      const stack = await describeStack(layout, lock, options);
      await expectRunnable(layout);
      await expectDigests(stack.files, lock);
      await writeAtomically(layout.stackFile, `${JSON.stringify(stack, null, 2)}\n`);
    },
    async inspect() {
      readInstalledStack(layout.root);
      return { 'stack.json': await digestFile(layout.stackFile) };
    },
  };
}

/** Compares the firmware with the lock, and writes firmware.json. */
export function sealFirmwareStep(
  layout: StackLayout,
  lock: LockFile,
  { bl33, unused }: { readonly bl33: Bl33; readonly unused: ReadonlySet<string> },
): StackStep {
  return {
    name: 'verify',
    title: 'Verify the firmware and write firmware.json',
    inputs: { lock: lockFormat.digest(lock), bl33: bl33.path },
    after: ['tfa', 'flash', 'rmm', bl33.step.name],
    commands: [],
    async run(context) {
      const { flash, bl1, fip, rmm } = layout;
      const files = { flash, bl1, fip, rmm, bl33: bl33.path };
      const digests = Object.entries(lock.digests).filter(([name]) => Object.hasOwn(files, name));
      await expectDigests(files, { ...lock, digests: Object.fromEntries(digests) });
      const revisions = { ...lockedRevisions(lock, unused), 'bl33 sha256': await digestFile(bl33.path) };
      const firmware: InstalledFirmware = { version: 1, lockDigest: lockFormat.digest(lock), files, revisions };
      await writeAtomically(layout.firmwareFile, `${JSON.stringify(firmware, null, 2)}\n`);
      await context.note(
        `only firmware is here: ${flash} is what QEMU takes with -bios; --only=all installs what realms need besides`,
      );
    },
    async inspect() {
      readInstalledFirmware(layout.root);
      return { 'firmware.json': await digestFile(layout.firmwareFile) };
    },
  };
}

/** @throws PetriError `tool-failed` if tmk_vmm would not start in plane 0 */
async function expectRunnable(layout: StackLayout): Promise<void> {
  const copy = layout.objects('libc.so.6');
  await mkdir(dirname(copy), { recursive: true });
  await extractFile(layout.rootfs, libc, copy);
  await expectOldEnough(layout.tmkVmm, copy);
}

async function describeStack(layout: StackLayout, lock: LockFile, options: SealOptions): Promise<InstalledStack> {
  const { qemu, unused } = options;
  const program = qemu.kind === 'own' ? layout.qemu : qemu.kind === 'given' ? qemu.path : undefined;
  const version = await qemuVersion(qemu.kind === 'installed' ? qemu.command : (program ?? ''));
  return {
    version: 1,
    lockDigest: lockFormat.digest(lock),
    ...(program === undefined ? {} : { qemu: program }),
    files: {
      flash: layout.flash,
      hostKernel: layout.hostKernel,
      rootfs: layout.rootfs,
      plane0Kernel: layout.plane0Kernel,
      lkvm: layout.lkvm,
      tmkVmm: layout.tmkVmm,
      ...(options.simpleTmk ? { simpleTmk: layout.simpleTmk } : {}),
    },
    revisions: {
      ...lockedRevisions(lock, unused),
      'qemu version': version,
      'tmk_vmm sha256': await digestFile(layout.tmkVmm),
      ...(options.simpleTmk ? { 'simple_tmk sha256': await digestFile(layout.simpleTmk) } : {}),
    },
  };
}
