import type { LinearMemory } from '../cpu/index.ts';

export const GRANULE_SIZE = 4096;
/** Address of the second DRAM bank on FVP and most servers. */
const DEFAULT_BASE = 0x8_8000_0000;

/**
 * DRAM of the simulated machine: physical addresses [base, base + bytes) at an offset in linear memory. The default
 * base differs from every guest address, so that a physical address used as an IPA (or the reverse) causes a fault.
 */
export class PhysicalMemory {
  /** Physical address of the first byte. */
  readonly base: number;
  readonly linear: LinearMemory;
  /** Offset in linear memory of physical address `base`. */
  readonly offset: number;
  readonly bytes: number;

  /** @param base a multiple of `GRANULE_SIZE` */
  constructor(linear: LinearMemory, offset: number, bytes: number, base = DEFAULT_BASE) {
    this.base = base;
    this.linear = linear;
    this.offset = offset;
    this.bytes = bytes;
  }

  contains(pa: number, bytes: number): boolean {
    return pa >= this.base && pa + bytes <= this.base + this.bytes;
  }

  /** Offset in linear memory of a physical address that `contains` accepted. */
  offsetOf(pa: number): number {
    return pa - this.base + this.offset;
  }

  /** @param pa an address that `contains` accepted with this size */
  bytesAt(pa: number, bytes: number): Uint8Array {
    const start = this.offsetOf(pa);
    return this.linear.u8.subarray(start, start + bytes);
  }
}
