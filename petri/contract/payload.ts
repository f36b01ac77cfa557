import type { ElfFile } from '../payload/elf/elf.ts';
import type { TmkImage } from '../tmk/image.ts';

/** A TMK (test microkernel): an ELF file that speaks OpenVMM's tmk_protocol, read and checked. */
export interface TmkPayload {
  readonly kind: 'tmk';
  /** As the user named it. */
  readonly name: string;
  readonly path: string;
  readonly elf: ElfFile;
  readonly image: TmkImage;
  /** Full name of the test that a VM boots with, where the image has several. */
  readonly test?: string;
}
