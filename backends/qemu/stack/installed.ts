import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod';
import {
  parseInstalledFile,
  readInstalledFile,
  stackFile,
  type InstalledFileWords,
} from '../../../petri/kit/installed-stack.ts';

export { stackFile };

const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

const schema = z.object({
  version: z.literal(1),
  /** sha256 of the lock file that the stack was installed from, in hex. */
  lockDigest: z.string(),
  /**
   * An RME-capable `qemu-system-aarch64` that belongs to the stack; without it, the one that the backend uses anyway.
   */
  qemu: absolutePath.optional(),
  files: z.object({
    /** TF-A's BL1 and FIP, with the RMM and EDK2, as an image for `-bios`. */
    flash: absolutePath,
    /** Linux for the host, an arm64 `Image` with KVM for realms, with virtio-blk, virtio-pci and ext4 built in. */
    hostKernel: absolutePath,
    /**
     * Root file system of the host, an ext4 image without a partition table. It must not be written: use a copy. It has
     * a busybox (or similar) at /bin/busybox, as /sbin/init and as /bin/sh, which runs /etc/init.d/S* at start with
     * /proc, /sys and /dev mounted, `stty`, and /sbin/poweroff.
     */
    rootfs: absolutePath,
    /** Linux for plane 0 of a realm, an arm64 `Image`. */
    plane0Kernel: absolutePath,
    /** kvmtool, for the host. */
    lkvm: absolutePath,
    /** OpenVMM's tmk_vmm, for plane 0. */
    tmkVmm: absolutePath,
    /** OpenVMM's simple_tmk, a TMK; absent if a tmk_vmm was given instead of being built. */
    simpleTmk: absolutePath.optional(),
  }),
  /** Component to revision (or digest, for files that were given), for each test's record. */
  revisions: z.record(z.string(), z.string()),
});

/**
 * The parts of a realm on QEMU, as installed by `petri cca install --platform=qemu` in `<root>/stack.json`: written
 * last, after everything else has been verified.
 */
export type InstalledStack = z.infer<typeof schema>;

const words: InstalledFileWords = {
  stack: 'QEMU stack for realms',
  installRemedy: 'run: npx petri cca install --platform=qemu --only=all',
  variable: 'PETRI_QEMU_CCA_ROOT',
};

/** Where the stack is: `$PETRI_QEMU_CCA_ROOT`, else `.petri/cca-qemu` below `cwd`. Absolute. */
export function stackRoot(cwd: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  const root = env[words.variable];
  return root !== undefined && root !== '' ? resolve(cwd, root) : join(cwd, '.petri', 'cca-qemu');
}

/**
 * Reads `<root>/stack.json`. Does not look at the files it names.
 *
 * @throws PetriError `stack-missing`, `stack-invalid`
 */
export function readInstalledStack(root: string): InstalledStack {
  return readInstalledFile(schema, root, words);
}

/** Name of the file that describes firmware, if only that was requested. */
export const firmwareFile = 'firmware.json';

const firmwareSchema = z.object({
  version: z.literal(1),
  lockDigest: z.string(),
  files: z.object({ flash: absolutePath, bl1: absolutePath, fip: absolutePath, rmm: absolutePath, bl33: absolutePath }),
  revisions: z.record(z.string(), z.string()),
});

/** Firmware only: `petri cca install --platform=qemu --only=firmware` writes `<root>/firmware.json` last. */
export type InstalledFirmware = z.infer<typeof firmwareSchema>;

/** Undefined where there is none. @throws PetriError `stack-invalid` */
export function readInstalledFirmware(root: string): InstalledFirmware | undefined {
  const path = join(root, firmwareFile);
  if (!existsSync(path)) return undefined;
  return parseInstalledFile(firmwareSchema, readFileSync(path, 'utf8'), path, words);
}

/** @throws PetriError `stack-invalid` */
export function parseInstalledStack(text: string, path: string): InstalledStack {
  return parseInstalledFile(schema, text, path, words);
}
