import { readFile } from 'node:fs/promises';

import { PetriError } from '../../../petri/errors.ts';
import { digestFiles, type StackStep, writeAtomically } from '../../../petri/kit/stack/index.ts';
import type { Bl33 } from './firmware.ts';
import type { StackLayout } from './layout.ts';

/** Where BL2 expects the FIP: PLAT_QEMU_FIP_BASE of TF-A's plat/qemu, and docs/plat/qemu.rst. */
export const FIP_OFFSET = 256 * 1024;
/** Flash 0 of the `virt` machine. */
const FLASH_SIZE = 64 * 1024 * 1024;

/** Combines BL1 and the FIP to an image for QEMU's `-bios`. */
export function flashStep(layout: StackLayout, bl33: Bl33): StackStep {
  return {
    name: 'flash',
    title: 'Make the flash image',
    inputs: { layout: `bl1 at 0, fip at ${String(FIP_OFFSET)}` },
    after: ['tfa', 'rmm', bl33.step.name],
    commands: [],
    async run() {
      const [bl1, fip] = await Promise.all([readFile(layout.bl1), readFile(layout.fip)]);
      await writeAtomically(layout.flash, flashImage(bl1, fip));
    },
    inspect: async () => await digestFiles({ 'flash.bin': layout.flash }),
  };
}

/**
 * BL1 at 0 and the FIP at `FIP_OFFSET`, with zeros between.
 *
 * @throws PetriError `tool-failed`
 */
export function flashImage(bl1: Buffer, fip: Buffer): Buffer {
  if (bl1.length > FIP_OFFSET)
    throw unusable(`BL1 has ${String(bl1.length)} bytes, and may have ${String(FIP_OFFSET)}`);
  if (FIP_OFFSET + fip.length > FLASH_SIZE)
    throw unusable(`the FIP has ${String(fip.length)} bytes, more than a flash has`);
  return Buffer.concat([bl1, Buffer.alloc(FIP_OFFSET - bl1.length), fip]);
}

function unusable(why: string): PetriError {
  return new PetriError(`the output of TF-A's build is unusable: ${why}`, {
    code: 'tool-failed',
    step: 'install',
    remedy:
      'compare options.tfa of the lock file with what this TF-A knows (its docs/getting_started/build-options.rst)',
  });
}
