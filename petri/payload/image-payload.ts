import { readFileSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { identify } from '../artifacts/index.ts';
import type { BoardName, ImageArgument, ImageLoad, ImagePayload } from '../contract/index.ts';
import { ElfFile, ET_DYN, hex } from '../elf/index.ts';
import { PetriError } from '../errors.ts';
import { anyText, checkOptions, flag, oneOf, text, type OptionRules, type Rule } from '../options/index.ts';
import { checkCommandLine } from './command-line.ts';
import { diskImage } from './disk-image.ts';

/** What `image()` boots, and how. */
export interface ImageOptions {
  /** Path of a raw image or of an ELF file for AArch64. */
  readonly file: string;
  /** The board that it is made for. @default 'virt' */
  readonly board?: BoardName;
  /**
   * Physical address at which a raw image is loaded, or to which a position-independent ELF file is moved.
   *
   * @default the start of RAM plus 2 MiB, or the start of flash
   */
  readonly load?: number;
  /** Physical address of the first instruction. @default the entry point of an ELF file, else `load` */
  readonly entry?: number;
  /** Exception level at which it starts. @default 1 */
  readonly el?: 1 | 2;
  /** Whether it is firmware, which is in flash: at address 0 of `virt`. @default false */
  readonly flash?: boolean;
  /** X0: a number below 2^53, or the address of the device tree. @default 'device-tree' */
  readonly x0?: ImageArgument;
  /** X1. @default 0 */
  readonly x1?: ImageArgument;
  /** X2. @default 0 */
  readonly x2?: ImageArgument;
  /** X3. @default 0 */
  readonly x3?: ImageArgument;
  /** Path of an initial RAM disk. */
  readonly initrd?: string;
  /**
   * Path of a raw disk image: the first virtio block device of the board. What the guest writes to it stays in memory
   * and is lost when it halts or resets.
   */
  readonly disk?: string;
  /** Boot arguments in the device tree. @default '' */
  readonly commandLine?: string;
}

/** Where boards have memory: QEMU, `docs/system/arm/virt.rst`; Fast Models, "Base Platform memory map". */
const memoryOf: Readonly<Record<BoardName, { readonly ram: number; readonly flash: number }>> = {
  virt: { ram: 0x4000_0000, flash: 0 },
  base: { ram: 0x8000_0000, flash: 0x0800_0000 },
};
/** Below a raw image is room for the device tree, which boards have at the start of RAM if they can. */
const DEVICE_TREE_BYTES = 2 ** 21;
const MAX_FILE_BYTES = 2 ** 30;
const ELF_MAGIC = 0x7f45_4c46;

const address: Rule = {
  accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  expected: 'an address: a whole number from 0',
};
const instructionAddress: Rule = {
  accepts: (value) => address.accepts(value) && Number(value) % 4 === 0,
  expected: 'an address that is a multiple of 4',
};
const level: Rule = { accepts: (value) => value === 1 || value === 2, expected: '1 or 2' };
const argument: Rule = {
  accepts: (value) => value === 'device-tree' || address.accepts(value),
  expected: "a whole number from 0, or 'device-tree'",
};

const rules: OptionRules = {
  file: text,
  board: oneOf(Object.keys(memoryOf)),
  load: address,
  entry: instructionAddress,
  el: level,
  flash: flag,
  x0: argument,
  x1: argument,
  x2: argument,
  x3: argument,
  initrd: text,
  disk: text,
  commandLine: anyText,
} satisfies Record<keyof ImageOptions, Rule>;

/**
 * A bare-metal image or firmware to boot, read and checked at once. Relative paths are resolved against the working
 * directory.
 *
 * @throws PetriError `artifact-missing`, `payload-too-large`, `elf-invalid`, `elf-unsupported`, `invalid-option`
 */
export function image(options: ImageOptions): ImagePayload {
  checkOptions('image()', options, rules);
  const { board = 'virt', el = 1, flash: inFlash = false, commandLine = '' } = options;
  const path = existing(options.file);
  checkCommandLine(commandLine, 'the boot arguments');
  const memory = memoryOf[board];
  const load = options.load ?? (inFlash ? memory.flash : memory.ram + DEVICE_TREE_BYTES);
  const { loads, entry, elf } = placed(path, options, load);
  return {
    kind: 'image',
    name: `image ${basename(path)}`,
    path,
    board,
    loads,
    entry: options.entry ?? entry,
    el,
    x: [options.x0 ?? 'device-tree', options.x1 ?? 0, options.x2 ?? 0, options.x3 ?? 0],
    commandLine,
    ...(elf === undefined ? {} : { elf }),
    ...(options.initrd === undefined ? {} : { initrd: existing(options.initrd) }),
    ...(options.disk === undefined ? {} : { disk: diskImage(options.disk) }),
  };
}

interface Placed {
  readonly loads: readonly ImageLoad[];
  readonly entry: number;
  readonly elf?: ElfFile;
}

function placed(path: string, options: ImageOptions, load: number): Placed {
  const size = statSync(path).size;
  if (size > MAX_FILE_BYTES || size === 0) {
    throw new PetriError(`${path} has ${size} bytes`, {
      code: 'payload-too-large',
      step: 'payload',
      remedy: `give a file of 1 to ${MAX_FILE_BYTES} bytes`,
    });
  }
  const bytes = readFileSync(path);
  if (bytes.length < 4 || bytes.readUInt32BE() !== ELF_MAGIC) {
    return { loads: [{ address: load, memsize: bytes.length, data: bytes }], entry: load };
  }
  const elf = new ElfFile(bytes, path);
  const lowest = Math.min(...elf.loadSegments.map(({ paddr }) => paddr));
  if (elf.type !== ET_DYN && options.load !== undefined && options.load !== lowest) {
    throw new PetriError(`${path} is linked to run at ${hex(lowest)}, so it cannot be loaded at ${hex(load)}`, {
      code: 'invalid-option',
      step: 'payload',
      remedy: 'leave `load` out, or link it as position-independent (-static-pie)',
    });
  }
  const moved = elf.type === ET_DYN ? load - lowest : 0;
  const first = elf.segmentAt(elf.entry, 4);
  const entry = elf.entry + (first === undefined ? 0 : first.paddr - first.vaddr) + moved;
  const loads = elf.loadSegments.map(({ paddr, memsize, data }) => ({ address: paddr + moved, memsize, data }));
  return { loads, entry, elf };
}

function existing(path: string): string {
  const chosen = resolve(path);
  if (identify(chosen) !== undefined) return chosen;
  throw new PetriError(`there is no file ${chosen}`, {
    code: 'artifact-missing',
    step: 'payload',
    remedy: 'give the path of a raw image or of an ELF file for AArch64',
  });
}
