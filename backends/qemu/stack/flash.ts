import { readFile } from 'node:fs/promises';

import { PetriError } from '../../../petri/errors.ts';
import { digestFiles, type StackStep, writeAtomically } from '../../../petri/stack/index.ts';
import type { StackLayout } from './layout.ts';

/** Where BL2 looks for the FIP: PLAT_QEMU_FIP_BASE of TF-A's plat/qemu, and docs/plat/qemu.rst. */
export const FIP_OFFSET = 256 * 1024;
/** Flash 0 of the `virt` machine. */
const FLASH_SIZE = 64 * 1024 * 1024;
/** TF-A's firmware_image_package.h: TOC_HEADER_NAME. */
const FIP_MAGIC = 0xaa640001;

/** Puts BL1 and the FIP together into what QEMU takes as `-bios`. */
export function flashStep(layout: StackLayout): StackStep {
  return {
    name: 'flash',
    title: 'Make the flash image',
    inputs: { layout: `bl1 at 0, fip at ${String(FIP_OFFSET)}` },
    after: ['tfa', 'rmm', 'edk2'],
    commands: [],
    async run() {
      const [bl1, fip, rmm, edk2] = (await Promise.all(
        [layout.bl1, layout.fip, layout.rmm, layout.edk2].map((path) => readFile(path)),
      )) as [Buffer, Buffer, Buffer, Buffer];
      await writeAtomically(layout.flash, flashImage(bl1, fip, { 'the RMM': rmm, EDK2: edk2 }));
    },
    inspect: async () => await digestFiles({ 'flash.bin': layout.flash }),
  };
}

/**
 * BL1 at 0 and the FIP behind it, with zeros between.
 *
 * @param contents what the FIP has to contain, by name: TF-A's build leaves out what an option that it does not know was to bring in
 * @throws PetriError `tool-failed`
 */
export function flashImage(bl1: Buffer, fip: Buffer, contents: Readonly<Record<string, Buffer>>): Buffer {
  if (bl1.length > FIP_OFFSET)
    throw unusable(`BL1 has ${String(bl1.length)} bytes, and may have ${String(FIP_OFFSET)}`);
  if (fip.length < 8 || fip.readUInt32LE(0) !== FIP_MAGIC) throw unusable('the FIP is no firmware image package');
  if (FIP_OFFSET + fip.length > FLASH_SIZE)
    throw unusable(`the FIP has ${String(fip.length)} bytes, more than a flash has`);
  for (const [name, content] of Object.entries(contents)) {
    if (!fip.includes(content)) throw unusable(`the FIP does not have ${name} in it that was built for it`);
  }
  return Buffer.concat([bl1, Buffer.alloc(FIP_OFFSET - bl1.length), fip]);
}

function unusable(why: string): PetriError {
  return new PetriError(`what TF-A's build made is of no use: ${why}`, {
    code: 'tool-failed',
    step: 'install',
    remedy:
      'compare options.tfa of the lock file with what this TF-A knows (its docs/getting_started/build-options.rst)',
  });
}
