import type { ImageArgument, ImageLoad } from '../../../../petri/contract/index.ts';
import { PetriError } from '../../../../petri/errors.ts';
import type { Window } from '../../machine/index.ts';

/** What is in the memory of a board when its first PE leaves reset, and where that PE starts. */
export interface BootState {
  readonly loads: readonly Load[];
  /** Address of the first instruction. */
  readonly entry: number;
  /** X0 and the registers after it; the others are zero. */
  readonly x: readonly number[];
}

/** Bytes at a physical address. */
export interface Load extends ImageLoad {
  /** What it is, for messages. */
  readonly name: string;
}

const MIB = 2 ** 20;
/** A kernel is at a multiple of this, plus its `text_offset`. */
const KERNEL_ALIGNMENT = 2 * MIB;
/** A device tree is in one block of this size, which the kernel maps, and an initramfs in whole pages. */
const BLOCK = 2 * MIB;
const PAGE = 65_536;

/** Header of an arm64 Image: 64-bit fields. */
const Header = { TextOffset: 8, ImageSize: 16, Bytes: 64 } as const;

/** What `linuxBoot` places. */
export interface LinuxFiles {
  /** An arm64 Image, not compressed. */
  readonly kernel: Buffer;
  readonly initramfs?: Uint8Array | undefined;
  /** Makes the device tree of a board for an initramfs at [start, end), or without. */
  deviceTree(initramfs: { readonly start: number; readonly end: number } | undefined): Uint8Array;
}

/**
 * Places a kernel, its initramfs and its device tree, and starts it, by the boot protocol of arm64 (Linux,
 * `Documentation/arch/arm64/booting.rst`).
 *
 * @throws PetriError `payload-too-large` if RAM has no room
 */
export function linuxBoot(files: LinuxFiles, ram: Window): BootState {
  const { kernel } = files;
  const textOffset = Number(kernel.readBigUInt64LE(Header.TextOffset));
  const imageSize = Math.max(Number(kernel.readBigUInt64LE(Header.ImageSize)), kernel.length);
  const entry = ram.base + KERNEL_ALIGNMENT + textOffset;
  const loads: Load[] = [load('the kernel', entry, kernel)];
  let free = roundUp(entry + imageSize, PAGE);
  let initramfs: { start: number; end: number } | undefined;
  if (files.initramfs !== undefined) {
    initramfs = { start: free, end: free + files.initramfs.length };
    loads.push(load('its initramfs', free, files.initramfs));
    free = initramfs.end;
  }
  const tree = files.deviceTree(initramfs);
  const place = roundUp(free, BLOCK);
  loads.push(load('the device tree', place, tree));
  checkLoads(loads, ram, place + tree.length);
  return { loads, entry, x: [place] };
}

/** What `imageBoot` places. */
export interface ImageFiles {
  /** At physical addresses. */
  readonly loads: readonly Load[];
  readonly entry: number;
  readonly x: readonly ImageArgument[];
  readonly initrd?: Uint8Array | undefined;
  deviceTree(initrd: { readonly start: number; readonly end: number } | undefined): Uint8Array;
}

/**
 * Places an image that says where it belongs, its initial RAM disk behind it, and the device tree at the start of RAM,
 * where firmware looks for it, or behind the rest if the image is there.
 *
 * @param flash banks that it may be in
 * @throws PetriError `payload-too-large` if a part is not in memory
 */
export function imageBoot(files: ImageFiles, ram: Window, flash: readonly Window[]): BootState {
  const loads = [...files.loads];
  const inRam = loads.filter(({ address }) => address >= ram.base);
  const free = Math.max(ram.base + BLOCK, ...inRam.map(({ address, memsize }) => address + memsize));
  let end = roundUp(free, PAGE);
  let initrd: { start: number; end: number } | undefined;
  if (files.initrd !== undefined) {
    initrd = { start: end, end: end + files.initrd.length };
    loads.push(load('the initial RAM disk', end, files.initrd));
    end = initrd.end;
  }
  const tree = files.deviceTree(initrd);
  const startIsFree = inRam.every(({ address }) => address >= ram.base + tree.length);
  const place = startIsFree ? ram.base : roundUp(end, BLOCK);
  loads.push(load('the device tree', place, tree));
  const memories = [ram, ...flash];
  for (const { name, address, memsize } of loads) {
    if (memories.some(({ base, bytes }) => address >= base && address + memsize <= base + bytes)) continue;
    const ranges = memories.map(({ base, bytes }) => `0x${base.toString(16)} to 0x${(base + bytes).toString(16)}`);
    const where = `${name} of ${megabytes(memsize)} at 0x${address.toString(16)}`;
    throw new PetriError(`${where} is not in memory, which is from ${ranges.join(', ')}`, {
      code: 'payload-too-large',
      step: 'launch',
      remedy: 'link or load it elsewhere, give the VM more memory, or choose another `board`',
    });
  }
  return { loads, entry: files.entry, x: files.x.map((value) => (value === 'device-tree' ? place : value)) };
}

function load(name: string, address: number, data: Uint8Array): Load {
  return { name, address, memsize: data.length, data };
}

/** @param needed address of the end of what has to be in RAM */
function checkLoads(loads: readonly Load[], ram: Window, needed: number): void {
  const [first] = loads;
  const end = ram.base + ram.bytes;
  if (first !== undefined && Number.isSafeInteger(needed) && needed <= end) return;
  const sizes = loads.map(({ name, memsize }) => `${name} of ${megabytes(memsize)}`).join(', ');
  throw new PetriError(`${sizes} do not fit into ${megabytes(ram.bytes)} of memory`, {
    code: 'payload-too-large',
    step: 'launch',
    remedy: `give the VM more: memory: '${Math.ceil((needed - ram.base) / MIB / 64) * 64 + 64}M'`,
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
