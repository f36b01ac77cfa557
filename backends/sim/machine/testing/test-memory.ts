import type { GuestMemory } from '../device.ts';

/** RAM of a test, with the ranges that devices have said they wrote. */
export class TestMemory implements GuestMemory {
  readonly base: number;
  readonly bytes: Uint8Array;
  readonly writes: (readonly [address: number, length: number])[] = [];

  constructor(base = 0x4000_0000, length = 1024 * 1024) {
    this.base = base;
    this.bytes = new Uint8Array(length);
  }

  bytesAt(address: number, length: number): Uint8Array | undefined {
    const at = address - this.base;
    return at >= 0 && at + length <= this.bytes.length ? this.bytes.subarray(at, at + length) : undefined;
  }

  wrote(address: number, length: number): void {
    this.writes.push([address, length]);
  }

  /** @throws RangeError outside of RAM */
  at(address: number, length: number): Uint8Array {
    const bytes = this.bytesAt(address, length);
    if (bytes === undefined) throw new RangeError('outside of RAM');
    return bytes;
  }

  view(address: number, length: number): DataView {
    const { buffer, byteOffset } = this.at(address, length);
    return new DataView(buffer, byteOffset, length);
  }
}
