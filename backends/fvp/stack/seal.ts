import { readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import {
  ask,
  digestFile,
  expectDigests,
  lockedRevisions,
  type StackStep,
  writeAtomically,
} from '../../../petri/kit/stack/index.ts';
import type { ContainerImage } from './container-image.ts';
import { packagedFiles } from './firmware.ts';
import { type InstalledStack, readInstalledStack } from './installed.ts';
import type { StackLayout } from './layout.ts';
import { type LockFile, lockFormat } from './lock-file.ts';
import { runOverlays } from './overlays.ts';
import { configName, shrinkwrapEnvironment } from './shrinkwrap-config.ts';
import { shrinkwrapVersion } from './shrinkwrap-tool.ts';

export interface SealOptions {
  readonly command: string;
  readonly runtime: InstalledStack['shrinkwrap']['runtime'];
  readonly image: ContainerImage;
  /** Steps whose outputs form the stack. */
  readonly after: readonly string[];
  /** Whether shrinkwrap runs from our Python environment, not as a command of the user. */
  readonly hasVenv: boolean;
  /** Sources that were not used. */
  readonly unused: ReadonlySet<string>;
  /** Whether simple_tmk was built. */
  readonly simpleTmk: boolean;
}

/** Compares the outputs with the lock, and writes stack.json, which makes the stack complete. */
export function sealStep(layout: StackLayout, lock: LockFile, options: SealOptions): StackStep {
  return {
    name: 'verify',
    title: 'Verify everything and write stack.json',
    inputs: { lock: lockFormat.digest(lock), runtime: options.runtime, command: options.command },
    after: options.after,
    commands: [],
    async run() {
      const stack = await describeStack(layout, await options.image.locked(), options);
      await expectDigests(stack.files, lock);
      await writeAtomically(layout.stackFile, `${JSON.stringify(stack, null, 2)}\n`);
    },
    async inspect() {
      readInstalledStack(layout.root);
      return { 'stack.json': await digestFile(layout.stackFile) };
    },
  };
}

async function describeStack(layout: StackLayout, lock: LockFile, options: SealOptions): Promise<InstalledStack> {
  const { image, config } = lock.shrinkwrap;
  const shrinkwrap = {
    command: options.command,
    version: await shrinkwrapVersion(options.command),
    runtime: options.runtime,
    ...(image === null ? {} : { image }),
  };
  return {
    version: 1,
    lockDigest: lockFormat.digest(lock),
    shrinkwrap,
    environment: { ...shrinkwrapEnvironment(layout), ...(options.hasVenv ? { VIRTUAL_ENV: layout.venv } : {}) },
    config,
    overlays: runOverlays(layout),
    files: {
      ...packagedFiles(layout, lock),
      plane0Kernel: layout.plane0Kernel,
      tmkVmm: layout.tmkVmm,
      ...(options.simpleTmk ? { simpleTmk: layout.simpleTmk } : {}),
    },
    revisions: {
      ...lockedRevisions(lock, options.unused),
      ...(await builtRevisions(layout, lock)),
      'shrinkwrap version': shrinkwrap.version,
      ...(image === null || options.runtime === 'null' ? {} : { 'container image': image }),
      'tmk_vmm sha256': await digestFile(layout.tmkVmm),
      ...(options.simpleTmk ? { 'simple_tmk sha256': await digestFile(layout.simpleTmk) } : {}),
    },
  };
}

/** The commits that shrinkwrap built, including those that only its own configuration names. */
async function builtRevisions(layout: StackLayout, lock: LockFile): Promise<Record<string, string>> {
  const folder = join(layout.build, 'source', configName(lock));
  const revisions: Record<string, string> = {};
  for (const component of await list(folder)) {
    const inside = await list(join(folder, component));
    const checkouts = [component, ...inside.map((name) => `${component}/${name}`)];
    for (const name of checkouts.filter((path) => existsSync(join(folder, path, '.git')))) {
      revisions[`source/${name}`] = await ask(['git', '-C', join(folder, name), 'rev-parse', 'HEAD']);
    }
  }
  return revisions;
}

async function list(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && entry.name !== '.git').map((entry) => entry.name);
}
