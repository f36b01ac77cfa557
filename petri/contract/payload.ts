import type { ElfFile, SymbolLocation } from '../elf/index.ts';

/** One test inside a TMK. */
export interface TmkTest {
  /** Position in the section, which is link order: what StartInput.test_index selects. */
  readonly index: number;
  /** Full name, modules included, such as `common::boot`. */
  readonly name: string;
  /** The test passes when it panics, fails or ends in a fault. */
  readonly expectedFailure: boolean;
  /** The test runs only where plane 0 is a Linux kernel, or behaves as one. */
  readonly linuxOnly: boolean;
}

/** A part of the image that is to be loaded at a load base plus `vaddr`. */
export interface TmkSegment {
  /** Address as linked. */
  readonly vaddr: number;
  /** Bytes in memory. */
  readonly memsize: number;
  /** The first bytes; the rest up to `memsize` is zero. A view of the file: not to be written to. */
  readonly data: Uint8Array;
  /** PF_X 1, PF_W 2, PF_R 4. */
  readonly flags: number;
}

/** What a backend needs of a TMK to load it and to report about it. All addresses are as linked. */
export interface TmkImage {
  /** In link order. */
  readonly tests: readonly TmkTest[];
  /** In order of address, none overlapping. */
  readonly segments: readonly TmkSegment[];
  /** Address of the first instruction. */
  readonly entry: number;
  /** From the page of the lowest address to the page after the highest: [start, end), both page-aligned. */
  readonly span: {
    /** First address. */
    readonly start: number;
    /** Address after the last. */
    readonly end: number;
  };
  /**
   * Lowest address of the stack, where the image says where its stack is (PT_GNU_STACK with a size, as our runtime has
   * it).
   */
  readonly stackStart?: number;
  /** The symbol at an address of the image as linked. */
  symbolAt(address: number): SymbolLocation | undefined;
}

/** A TMK (test microkernel): an ELF file that speaks OpenVMM's tmk_protocol, read and checked. */
export interface TmkPayload {
  /** Tells the kinds of `VmPayload` apart. */
  readonly kind: 'tmk';
  /** As the user named it. */
  readonly name: string;
  /** Absolute path of the ELF file. */
  readonly path: string;
  /** The file, parsed. */
  readonly elf: ElfFile;
  /** What of the file is loaded, and the tests inside it (`image.tests`). */
  readonly image: TmkImage;
  /** Full name of the test that a VM boots with, where the image has several. */
  readonly test?: string;
}

/** A Linux kernel for AArch64 and what it starts. */
export interface LinuxPayload {
  /** Tells the kinds of `VmPayload` apart. */
  readonly kind: 'linux';
  /** As messages call it. */
  readonly name: string;
  /** Path of the kernel, an arm64 `Image`, compressed with gzip or not, or one of EFI zboot. */
  readonly path: string;
  /** Path of an initramfs of the user's own, with a shell; without it, one is made of busybox. */
  readonly initramfs?: string;
  /** Path of a static busybox for AArch64, where there is no initramfs. */
  readonly busybox?: string;
  /** Path of a raw disk image, which the guest has as a virtio block device and which does not change. */
  readonly disk?: string;
  /** Paths of modules of the kernel, in load order, that are loaded before `/init` starts. */
  readonly modules?: readonly string[];
  /** What the user adds to the kernel's command line. */
  readonly commandLine: string;
  /** Whether VMs may begin where another one was when it had booted; see `LinuxOptions.snapshot`. */
  readonly snapshot?: 'booted';
}

/** A kind of board: QEMU's `virt`, or the FVP Base RevC. */
export type BoardName = 'virt' | 'base';

/** Bare-metal code or firmware: what is in memory when the machine leaves reset, and where it starts. */
export interface ImagePayload {
  /** Tells the kinds of `VmPayload` apart. */
  readonly kind: 'image';
  /** As messages call it. */
  readonly name: string;
  /** Absolute path of the file. */
  readonly path: string;
  /** The board that it is made for. */
  readonly board: BoardName;
  /** What is loaded, by physical address: of an ELF file its segments, else the whole file. */
  readonly loads: readonly ImageLoad[];
  /** Physical address of the first instruction. */
  readonly entry: number;
  /** Exception level at which it starts. */
  readonly el: 1 | 2;
  /** X0 to X3 at the first instruction. */
  readonly x: readonly [ImageArgument, ImageArgument, ImageArgument, ImageArgument];
  /** Path of an initial RAM disk, whose addresses are in the device tree. */
  readonly initrd?: string;
  /** Path of a raw disk image, which the guest has as a virtio block device and which does not change. */
  readonly disk?: string;
  /** `/chosen/bootargs` in the device tree. */
  readonly commandLine: string;
  /** The file, parsed, where it is an ELF file. */
  readonly elf?: ElfFile;
}

/** A number, or the address of the device tree. */
export type ImageArgument = number | 'device-tree';

/** A part of an image. */
export interface ImageLoad {
  /** Physical address. */
  readonly address: number;
  /** Bytes in memory. */
  readonly memsize: number;
  /** The first bytes; the rest up to `memsize` is zero. A view of the file: not to be written to. */
  readonly data: Uint8Array;
}
