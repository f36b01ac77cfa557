/** A frame of 64 KiB of registers, as 32-bit words; those that do not exist read as zero and ignore writes. */
export interface Frame {
  /** @param offset a multiple of 4 */
  read(offset: number): number;
  write(offset: number, value: number): void;
  /** A store of a byte. */
  writeByte(offset: number, value: number): void;
}

/** GICx_IIDR: implementer Arm. */
export const IIDR = 0x43b;
/** GICx_PIDR2: ArchRev 3. */
export const PIDR2 = 0x3b;
export const PIDR2_OFFSET = 0xffe8;
