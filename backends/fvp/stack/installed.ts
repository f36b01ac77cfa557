import { isAbsolute, join, resolve } from 'node:path';

import { z } from 'zod';

import {
  parseInstalledFile,
  readInstalledFile,
  stackFile,
  type InstalledFileWords,
} from '../../../petri/kit/installed-stack.ts';

export { stackFile };

const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

/** How shrinkwrap starts the model: `null` is this machine without a container. */
export const runtimes = ['null', 'docker', 'docker-local', 'podman', 'podman-local'] as const;

const schema = z.object({
  version: z.literal(1),
  /** sha256 of the lock file that the stack was installed from, in hex. */
  lockDigest: z.string(),
  shrinkwrap: z.object({
    /** Path of the command, which can be run without further setup. */
    command: absolutePath,
    /** The output of `shrinkwrap --version`. */
    version: z.string(),
    runtime: z.enum(runtimes),
    /** Container image, unless it is shrinkwrap's default. */
    image: z.string().optional(),
  }),
  /**
   * Variables that shrinkwrap needs: SHRINKWRAP_BUILD, SHRINKWRAP_PACKAGE, SHRINKWRAP_CONFIG. VIRTUAL_ENV too, unless
   * the user gave the command; the command finds its Python by itself.
   */
  environment: z.record(z.string(), z.string()),
  /** Name of the configuration for `shrinkwrap run`. */
  config: z.string(),
  /** Overlays to pass to `shrinkwrap run` too, in this order. */
  overlays: z.array(absolutePath),
  files: z.object({
    /** Root file system of the host, an ext4 image. It must not be written: use a copy. */
    rootfs: absolutePath,
    /** Linux for plane 0 of a realm, an arm64 `Image`. */
    plane0Kernel: absolutePath,
    /** kvmtool, for the host. */
    lkvm: absolutePath,
    /** OpenVMM's tmk_vmm, for plane 0. */
    tmkVmm: absolutePath,
    /** OpenVMM's simple_tmk, a TMK; absent if a tmk_vmm was given instead of being built. */
    simpleTmk: absolutePath.optional(),
    /** The files that the model boots, for a start without shrinkwrap. */
    bl1: absolutePath.optional(),
    fip: absolutePath.optional(),
    hostKernel: absolutePath.optional(),
    deviceTree: absolutePath.optional(),
  }),
  /** Component to revision (or digest, for files that were given), for each test's record. */
  revisions: z.record(z.string(), z.string()),
});

/**
 * The installed FVP stack, which `petri cca install` describes in `<root>/stack.json`: written last, after everything
 * else has been verified.
 */
export type InstalledStack = z.infer<typeof schema>;

/** Where the stack is: `$PETRI_CCA_ROOT`, else `.petri/cca` below `cwd`. Absolute. */
export function stackRoot(cwd: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  const root = env['PETRI_CCA_ROOT'];
  return root !== undefined && root !== '' ? resolve(cwd, root) : join(cwd, '.petri', 'cca');
}

const words: InstalledFileWords = {
  stack: 'FVP stack',
  installRemedy: 'run: npx petri cca install',
  variable: 'PETRI_CCA_ROOT',
};

/**
 * Reads `<root>/stack.json`. Does not look at the files it names.
 *
 * @throws PetriError `stack-missing`, `stack-invalid`
 */
export function readInstalledStack(root: string): InstalledStack {
  return readInstalledFile(schema, root, words);
}

/** @throws PetriError `stack-invalid` */
export function parseInstalledStack(text: string, path: string): InstalledStack {
  return parseInstalledFile(schema, text, path, words);
}
