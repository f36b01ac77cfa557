import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { digestFile, digestFiles, publishFile, type StackCommand, type StackStep } from '../../../petri/stack/index.ts';
import { expectFormat, formats } from './formats.ts';
import type { StackLayout } from './layout.ts';
import { crossCompile } from './plane0-kernel.ts';

const target = 'aarch64-unknown-linux-gnu';
const name = 'tmk-vmm';

/** Builds OpenVMM's tmk_vmm, which runs TMKs from plane 0. */
export function buildTmkVmmStep(layout: StackLayout, rustc: string, jobs: number): StackStep {
  const objects = layout.objects('openvmm');
  const arguments_ = ['build', '--package=tmk_vmm', `--target=${target}`, '--locked'];
  const build: StackCommand = {
    argv: ['cargo', ...arguments_, `--jobs=${String(jobs)}`],
    cwd: layout.source('openvmm'),
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
      await publishFile(join(objects, target, 'debug', 'tmk_vmm'), layout.tmkVmm, 0o755);
    },
    inspect: async () => await inspectTmkVmm(layout),
  };
}

/** Takes a tmk_vmm that the user has. */
export function givenTmkVmmStep(layout: StackLayout, path: string, digest: string): StackStep {
  return {
    name,
    title: `Take tmk_vmm from ${path}`,
    inputs: { path, digest },
    commands: [],
    async run() {
      await publishFile(path, layout.tmkVmm, 0o755);
      if ((await digestFile(layout.tmkVmm)) !== digest) throw new Error(`${path} changed while it was copied`);
    },
    inspect: async () => await inspectTmkVmm(layout),
  };
}

async function inspectTmkVmm(layout: StackLayout) {
  const evidence = await digestFiles({ tmk_vmm: layout.tmkVmm });
  await expectFormat(layout.tmkVmm, formats.aarch64Elf);
  return evidence;
}
