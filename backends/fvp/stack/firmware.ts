import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import {
  digestFiles,
  expectFipImages,
  expectFormat,
  formats,
  type StackCommand,
  type StackStep,
} from '../../../petri/kit/stack/index.ts';
import { type ContainerImage, containerProgram } from './container-image.ts';
import type { InstalledStack } from './installed.ts';
import type { StackLayout } from './layout.ts';
import type { LockFile } from './lock-file.ts';
import { buildOverlays, overlayInputs } from './overlays.ts';
import { expectComponents, expectPinned } from './pins.ts';
import { configName, shrinkwrapEnvironment } from './shrinkwrap-config.ts';

export interface FirmwareOptions {
  /** The shrinkwrap command. */
  readonly command: string;
  /** The step that provides it. */
  readonly after: string;
  readonly runtime: InstalledStack['shrinkwrap']['runtime'];
  readonly image: ContainerImage;
  readonly jobs: number;
  /** Components whose objects are removed first. */
  readonly fresh: readonly string[];
}

/** Files in shrinkwrap's package, by their names in stack.json. */
export function packagedFiles(layout: StackLayout, lock: LockFile) {
  const folder = join(layout.package, configName(lock));
  return {
    rootfs: join(folder, 'rootfs.ext2'),
    lkvm: join(folder, 'lkvm'),
    hostKernel: join(folder, 'Image'),
    bl1: join(folder, 'bl1.bin'),
    fip: join(folder, 'fip.bin'),
    deviceTree: join(folder, 'dt_bootargs.dtb'),
  };
}

/** Builds firmware, host kernel, kvmtool and root file system with shrinkwrap. */
export function firmwareStep(layout: StackLayout, lock: LockFile, options: FirmwareOptions): StackStep {
  const { config, overlays, variables } = lock.shrinkwrap;
  const { image } = options;
  const environment = shrinkwrapEnvironment(layout);
  const global = (name: string | undefined): string[] => [
    `--runtime=${options.runtime}`,
    ...(name === undefined ? [] : [`--image=${name}`]),
  ];
  const layers = [...overlays, ...buildOverlays(layout)].map((overlay) => `--overlay=${overlay}`);
  const settings = Object.entries(variables).map(([name, value]) => `--btvar=${name}=${value}`);
  const request = ['build', config, ...layers, ...settings];
  // The digest of a tag is an input through the step that resolves it.
  const fixed = global(image.step === undefined ? image.shown : undefined);
  // Checkouts belong to us: leftovers of a killed build must be overwritten without complaint.
  const manner = ['--force-sync-all', '--verbose', '--no-color', `--jobs=${String(options.jobs)}`];
  const container = containerProgram(options.runtime);
  const build = (name: string | undefined): StackCommand => ({
    argv: [options.command, ...global(name), ...request, ...manner],
    cwd: layout.root,
    env: environment,
    ...(container === undefined ? {} : { container }),
  });
  const files = packagedFiles(layout, lock);
  const resolved = join(layout.package, `${configName(lock)}.yaml`);
  return {
    name: 'firmware',
    title: 'Build TF-A, RMM, EDK2, host Linux, kvmtool and the root file system',
    inputs: { command: [...fixed, ...request].join(' '), ...overlayInputs(lock) },
    after: [options.after, ...(image.step === undefined ? [] : [image.step.name])],
    commands: [build(image.shown)],
    expects: '30 min to 3 h, 25 GB',
    async run(context) {
      await expectComponents(options.command, layout, lock);
      const objects = join(layout.build, 'build');
      // make would accept an object that a killed compiler left half written. shrinkwrap protects checkouts itself.
      if (context.interrupted) await rm(objects, { recursive: true, force: true });
      for (const component of options.fresh) {
        await rm(join(objects, configName(lock), component), { recursive: true, force: true });
      }
      await context.command(build(await image.current()));
      await expectPinned(layout, lock);
    },
    async inspect() {
      const evidence = await digestFiles({ ...files, config: resolved });
      await expectFipImages(files.fip, ['BL2', 'BL31', 'RMM', 'BL33']);
      await expectFormat(files.rootfs, formats.ext4);
      await expectFormat(files.lkvm, formats.aarch64Elf);
      await expectFormat(files.hostKernel, formats.arm64Image);
      return evidence;
    },
  };
}
