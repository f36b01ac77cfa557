import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { digestFile, digestFiles, publishFile } from './files.ts';
import { expectFormat, formats } from './formats.ts';
import { crossCompile } from './linux-kernel.ts';
import type { Evidence, StackCommand, StackStep } from './step.ts';

/** Folders of one program of OpenVMM. */
export interface OpenvmmFolders {
  /** Checkout of OpenVMM. */
  readonly source: string;
  /** Folder of intermediate files. */
  readonly objects: string;
  /** Where the program is put. */
  readonly target: string;
}

/** A program to build. */
interface Program {
  /** Name of the step. */
  readonly name: string;
  /** Name of the package, and of the file that cargo builds. */
  readonly package: string;
  /** Name of the target in cargo's output folder. */
  readonly target: string;
  /** cargo's arguments that select the target. */
  readonly arguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly expects: string;
  readonly mode: number;
}

/** Builds OpenVMM's tmk_vmm, which runs TMKs from plane 0. */
export function buildTmkVmmStep(folders: OpenvmmFolders, rustc: string, jobs: number): StackStep {
  const target = 'aarch64-unknown-linux-gnu';
  const program: Program = {
    name: 'tmk-vmm',
    package: 'tmk_vmm',
    target,
    arguments: [`--target=${target}`],
    env: { CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: `${crossCompile}gcc` },
    expects: '5 to 30 min, 6 GB',
    mode: 0o755,
  };
  return buildStep(program, folders, rustc, jobs);
}

/**
 * Builds OpenVMM's simple_tmk, a TMK with the tests of OpenVMM's own CCA flow. Its configuration file selects a custom
 * target, for which the core library has to be built from the sources of Rust (openhcl/minimal_rt/aarch64-config.toml).
 */
export function buildSimpleTmkStep(folders: OpenvmmFolders, rustc: string, jobs: number): StackStep {
  const program: Program = {
    name: 'simple-tmk',
    package: 'simple_tmk',
    target: 'aarch64-minimal_rt-none',
    arguments: ['--config=openhcl/minimal_rt/aarch64-config.toml'],
    env: {},
    expects: '1 to 5 min, 200 MB',
    mode: 0o644,
  };
  return buildStep(program, folders, rustc, jobs);
}

function buildStep(
  program: Program,
  { source, objects, target }: OpenvmmFolders,
  rustc: string,
  jobs: number,
): StackStep {
  const arguments_ = ['build', `--package=${program.package}`, ...program.arguments, '--locked'];
  const build: StackCommand = {
    argv: ['cargo', ...arguments_, `--jobs=${String(jobs)}`],
    cwd: source,
    // OpenVMM uses unstable features with a stable compiler.
    env: { CARGO_TARGET_DIR: objects, ...program.env, RUSTC_BOOTSTRAP: '1' },
  };
  return {
    name: program.name,
    title: `Build ${program.package}`,
    inputs: { rustc, command: arguments_.join(' ') },
    after: ['openvmm-source'],
    commands: [build],
    expects: program.expects,
    async run(context) {
      if (context.interrupted) await rm(objects, { recursive: true, force: true });
      await context.command(build);
      await publishFile(join(objects, program.target, 'debug', program.package), target, program.mode);
    },
    inspect: async () => await inspectElf(program.package, target),
  };
}

/** Uses a tmk_vmm that the user has. */
export function givenTmkVmmStep(target: string, path: string, digest: string): StackStep {
  return {
    name: 'tmk-vmm',
    title: `Take tmk_vmm from ${path}`,
    inputs: { path, digest },
    commands: [],
    async run() {
      await publishFile(path, target, 0o755);
      if ((await digestFile(target)) !== digest) throw new Error(`${path} changed while it was copied`);
    },
    inspect: async () => await inspectElf('tmk_vmm', target),
  };
}

async function inspectElf(name: string, path: string): Promise<Evidence> {
  const evidence = await digestFiles({ [name]: path });
  await expectFormat(path, formats.aarch64Elf);
  return evidence;
}
