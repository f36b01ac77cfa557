import type { GuestMemory } from '../../device.ts';

/** A buffer of the driver; it was in RAM when the chain was taken. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

/** A chain of descriptors: what the device may read, then what it may write (Virtio 1.2, 2.7.4.2). */
export class Chain {
  readonly head: number;
  readonly readable: readonly Segment[];
  readonly writable: readonly Segment[];
  readonly readableBytes: number;
  readonly writableBytes: number;
  readonly #memory: GuestMemory;

  constructor(memory: GuestMemory, head: number, readable: readonly Segment[], writable: readonly Segment[]) {
    this.#memory = memory;
    this.head = head;
    this.readable = readable;
    this.writable = writable;
    this.readableBytes = total(readable);
    this.writableBytes = total(writable);
  }

  /** Copies readable bytes. @returns fewer than `length` if there are no more */
  read(offset: number, length: number): Uint8Array {
    const all = new Uint8Array(Math.max(0, Math.min(length, this.readableBytes - offset)));
    let at = 0;
    this.readChunks(offset, length, (chunk) => {
      all.set(chunk, at);
      at += chunk.length;
    });
    return all;
  }

  /** Visits readable bytes in place. @param visit gets chunks that are valid during the call */
  readChunks(offset: number, length: number, visit: (chunk: Uint8Array) => void): void {
    forEachPart(this.readable, offset, length, (address, bytes) => {
      const chunk = this.#memory.bytesAt(address, bytes);
      if (chunk !== undefined) visit(chunk);
    });
  }

  /** Fills writable bytes in place. @param fill gets chunks that are valid during the call */
  writeChunks(offset: number, length: number, fill: (chunk: Uint8Array) => void): void {
    forEachPart(this.writable, offset, length, (address, bytes) => {
      const chunk = this.#memory.bytesAt(address, bytes);
      if (chunk === undefined) return;
      fill(chunk);
      this.#memory.wrote(address, bytes);
    });
  }

  /** Writes bytes from an offset of the writable ones on; what does not fit is left out. */
  write(offset: number, bytes: Uint8Array): void {
    let at = 0;
    this.writeChunks(offset, bytes.length, (chunk) => {
      chunk.set(bytes.subarray(at, at + chunk.length));
      at += chunk.length;
    });
  }
}

function total(segments: readonly Segment[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0);
}

function forEachPart(
  segments: readonly Segment[],
  offset: number,
  length: number,
  visit: (address: number, bytes: number) => void,
): void {
  let skip = offset;
  let left = length;
  for (const segment of segments) {
    if (left <= 0) return;
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const bytes = Math.min(segment.length - skip, left);
    visit(segment.address + skip, bytes);
    left -= bytes;
    skip = 0;
  }
}
