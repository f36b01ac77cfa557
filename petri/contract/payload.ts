import type { ElfFile } from '../payload/elf/elf.ts';
import type { TmkImage } from '../tmk/image.ts';

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
