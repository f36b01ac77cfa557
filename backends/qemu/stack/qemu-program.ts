import { mkdir, rm } from 'node:fs/promises';

import { type Asked, askQemu } from '../ask-qemu.ts';
import { digestFile, type Evidence, type StackCommand, type StackStep } from '../../../petri/kit/stack/index.ts';
import type { StackLayout } from './layout.ts';

/** The QEMU for realms. */
export type QemuChoice =
  /** The one that the backend uses anyway, by its command. */
  | { readonly kind: 'installed'; readonly command: string }
  | { readonly kind: 'given'; readonly path: string }
  | { readonly kind: 'own' };

const RME = 'x-rme';

/** The step that provides a QEMU that can run realms. */
export function qemuStep(layout: StackLayout, choice: QemuChoice, compiler: string, jobs: number): StackStep {
  switch (choice.kind) {
    case 'installed':
      return foundStep(choice.command, `Look at the QEMU that is installed (${choice.command})`);
    case 'given':
      return foundStep(choice.path, `Take QEMU from ${choice.path}`);
    case 'own':
      return buildStep(layout, compiler, jobs);
  }
}

function foundStep(command: string, title: string): StackStep {
  return {
    name: 'qemu',
    title,
    inputs: { command },
    commands: [],
    async run() {
      await inspectQemu(command);
    },
    inspect: async () => await inspectQemu(command),
  };
}

function buildStep(layout: StackLayout, compiler: string, jobs: number): StackStep {
  const objects = layout.objects('qemu');
  const features = ['gtk', 'sdl', 'vnc', 'docs', 'tools', 'guest-agent', 'install-blobs', 'werror'];
  const options = ['--target-list=aarch64-softmmu', ...features.map((feature) => `--disable-${feature}`)];
  const configure: StackCommand = {
    argv: [`${layout.source('qemu')}/configure`, `--prefix=${layout.qemuPrefix}`, ...options],
    cwd: objects,
  };
  const build: StackCommand = { argv: ['make', '-C', objects, `-j${String(jobs)}`] };
  const install: StackCommand = { argv: ['make', '-C', objects, 'install'] };
  return {
    name: 'qemu',
    title: 'Build QEMU',
    inputs: { compiler, options: options.join(' '), prefix: layout.qemuPrefix },
    after: ['qemu-source'],
    commands: [configure, build, install],
    expects: '10 to 60 min, 2 GB',
    async run(context) {
      await rm(objects, { recursive: true, force: true });
      await rm(layout.qemuPrefix, { recursive: true, force: true });
      await mkdir(objects, { recursive: true });
      for (const command of [configure, build, install]) await context.command(command);
    },
    inspect: async () => ({
      ...(await inspectQemu(layout.qemu)),
      'qemu-system-aarch64': await digestFile(layout.qemu),
    }),
  };
}

/** @throws Error if it is not QEMU, or has no RME */
async function inspectQemu(command: string): Promise<Evidence> {
  const asked = await askQemu(command);
  if (!hasRme(asked)) throw new Error(`QEMU ${asked.version} (${command}) has no ${RME}: it cannot run realms`);
  return { version: describe(asked) };
}

/** Why a QEMU cannot run realms; undefined if it can. Never throws. */
export async function rmeShortage(command: string): Promise<string | undefined> {
  try {
    const asked = await askQemu(command);
    return hasRme(asked) ? undefined : `a QEMU with RME (${command} is ${asked.version}, and has no ${RME})`;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return `a QEMU with RME (${why})`;
  }
}

/** Its version, with the package if there is one. @throws Error if it is not QEMU */
export async function qemuVersion(command: string): Promise<string> {
  return describe(await askQemu(command));
}

function hasRme(asked: Asked): boolean {
  return asked.cpuProperties.includes(RME);
}

function describe({ version, package: packaged }: Asked): string {
  return packaged === '' ? version : `${version} (${packaged})`;
}
