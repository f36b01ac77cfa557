import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { digestFile, digestFiles, publishFile } from './files.ts';
import { expectFormat, formats } from './formats.ts';
import { crossCompile } from './linux-kernel.ts';
import type { StackCommand, StackStep } from './step.ts';

const rustTarget = 'aarch64-unknown-linux-gnu';
const name = 'tmk-vmm';

export interface TmkVmmFolders {
  /** Checkout of OpenVMM. */
  readonly source: string;
  /** Folder of intermediate files. */
  readonly objects: string;
  /** Where the program is put. */
  readonly target: string;
}

/** Builds OpenVMM's tmk_vmm, which runs TMKs from plane 0. */
export function buildTmkVmmStep(folders: TmkVmmFolders, rustc: string, jobs: number): StackStep {
  const { objects } = folders;
  const arguments_ = ['build', '--package=tmk_vmm', `--target=${rustTarget}`, '--locked'];
  const build: StackCommand = {
    argv: ['cargo', ...arguments_, `--jobs=${String(jobs)}`],
    cwd: folders.source,
    env: {
      CARGO_TARGET_DIR: objects,
      CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: `${crossCompile}gcc`,
      // OpenVMM uses unstable features of a stable compiler.
      RUSTC_BOOTSTRAP: '1',
    },
  };
  return {
    name,
    title: 'Build tmk_vmm',
    inputs: { rustc, command: arguments_.join(' ') },
    after: ['openvmm-source'],
    commands: [build],
    expects: '5 to 30 min, 6 GB',
    async run(context) {
      if (context.interrupted) await rm(objects, { recursive: true, force: true });
      await context.command(build);
      await publishFile(join(objects, rustTarget, 'debug', 'tmk_vmm'), folders.target, 0o755);
    },
    inspect: async () => await inspectTmkVmm(folders.target),
  };
}

/** Takes a tmk_vmm that the user has. */
export function givenTmkVmmStep(target: string, path: string, digest: string): StackStep {
  return {
    name,
    title: `Take tmk_vmm from ${path}`,
    inputs: { path, digest },
    commands: [],
    async run() {
      await publishFile(path, target, 0o755);
      if ((await digestFile(target)) !== digest) throw new Error(`${path} changed while it was copied`);
    },
    inspect: async () => await inspectTmkVmm(target),
  };
}

async function inspectTmkVmm(path: string) {
  const evidence = await digestFiles({ tmk_vmm: path });
  await expectFormat(path, formats.aarch64Elf);
  return evidence;
}
