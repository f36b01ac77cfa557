import { z } from 'zod';

import { waitingDebugger } from '../../debugging.ts';
import type { OptionValues } from '../options.ts';

const address = z
  .string()
  .regex(/^(?:0x[0-9a-f]+|\d+)$/i, 'needs a number, such as 0x40200000')
  .transform(Number);

export const runOptions = {
  machine: {
    value: 'name',
    help: "the board: virt, which is QEMU's, or base, which is the FVP's; virt without it",
    schema: z.enum(['virt', 'base'], { error: 'needs virt or base' }),
  },
  memory: { value: 'size', help: 'RAM, such as 512M; 512M without it' },
  vcpus: { value: 'number', help: 'PEs; 1 without it', schema: z.coerce.number().int().positive() },
  append: { value: 'text', help: "parameters for the kernel's command line, or the boot arguments of an image" },
  initrd: { value: 'file', help: 'the initial RAM disk; for a kernel one made of busybox without it' },
  disk: { value: 'file', help: 'a raw disk image, which does not change: what the guest writes is lost at the end' },
  el: {
    value: 'level',
    help: 'the Exception level at which an image starts: 1 or 2; 1 without it',
    schema: z.enum(['1', '2'], { error: 'needs 1 or 2' }).transform((level): 1 | 2 => (level === '1' ? 1 : 2)),
  },
  load: { value: 'address', help: 'where a raw image is loaded', schema: address },
  entry: { value: 'address', help: 'where an image starts', schema: address },
  flash: { help: 'load the image into flash, as firmware' },
  gdb: {
    value: 'port',
    bare: '0',
    help: 'wait for GDB on this port, any free one without it, and say how to attach (sim)',
    schema: z.string().transform((port) => waitingDebugger(port)),
  },
  backend: { value: 'name', help: 'the backend; PETRI_BACKEND, or sim without it' },
  'no-reboot': { help: 'end when the guest resets, instead of booting it again' },
  counted: { help: 'let waits of the guest take no time, as in tests; without it they take as long as they say' },
} as const;

export type RunOptions = OptionValues<typeof runOptions>;
