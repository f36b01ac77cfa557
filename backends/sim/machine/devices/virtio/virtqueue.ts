import type { GuestMemory } from '../../device.ts';
import { Chain, type Segment } from './chain.ts';

/** Descriptors (Virtio 1.2, 2.7.5). */
const DESCRIPTOR_BYTES = 16;
const Flag = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;
/** Of the available ring. */
const NO_INTERRUPT = 1;
/** The rings begin with flags and an index of 16 bits each. */
const RING = 4;
const USED_ELEMENT_BYTES = 8;
const WORD = 2 ** 32;

/** A driver has no reason for more in one request, and what a guest asks for may not hold the host for long. */
const MAX_CHAIN_BYTES = 16 * 1024 * 1024;

/** Where the driver has put a queue, and how far both sides are. */
export interface QueueState {
  readonly size: number;
  readonly ready: boolean;
  /** Descriptor area, driver area and device area, each low then high word. */
  readonly areas: readonly number[];
  /** Free-running indices of 16 bits: the next available chain to take, and the next used element to fill. */
  readonly available: number;
  readonly used: number;
}

/**
 * A split virtqueue (Virtio 1.2, 2.7), seen from the device. All that it reads is the guest's, which may be hostile:
 * whatever breaks the rules breaks the queue, and no chain is taken from it any more.
 */
export class Virtqueue {
  /** Largest size. */
  readonly limit: number;
  readonly #memory: GuestMemory;
  size: number;
  ready = false;
  broken = false;
  readonly areas = [0, 0, 0, 0, 0, 0];
  #available = 0;
  #used = 0;

  constructor(memory: GuestMemory, limit: number) {
    this.#memory = memory;
    this.limit = limit;
    this.size = limit;
  }

  reset(): void {
    this.restore({ size: this.limit, ready: false, areas: [0, 0, 0, 0, 0, 0], available: 0, used: 0 });
  }

  save(): QueueState & { readonly broken: boolean } {
    const { size, ready, broken } = this;
    return { size, ready, broken, areas: [...this.areas], available: this.#available, used: this.#used };
  }

  restore({ size, ready, areas, available, used, broken = false }: QueueState & { readonly broken?: boolean }): void {
    this.size = size;
    this.ready = ready;
    this.broken = broken;
    this.areas.splice(0, areas.length, ...areas);
    this.#available = available;
    this.#used = used;
  }

  /** The next chain of the driver; undefined if there is none. */
  take(): Chain | undefined {
    const index = this.#index();
    if (index === this.#available || this.broken) return undefined;
    const ring = this.#memory.bytesAt(this.#area(1), RING + 2 * this.size);
    // More available chains than the queue has: the index is not one.
    if (ring === undefined || ((index - this.#available) & 0xffff) > this.size) return this.#break();
    const head = half(ring, RING + 2 * (this.#available % this.size));
    const chain = this.#chain(head);
    if (chain !== undefined) this.#available = (this.#available + 1) & 0xffff;
    return chain;
  }

  /**
   * Gives a chain back to the driver.
   *
   * @param written how many of its writable bytes were
   * @returns whether the driver wants an interrupt for it
   */
  give(chain: Chain, written: number): boolean {
    const place = this.#area(2) + RING + USED_ELEMENT_BYTES * (this.#used % this.size);
    const element = this.#memory.bytesAt(place, USED_ELEMENT_BYTES);
    const index = this.#memory.bytesAt(this.#area(2) + 2, 2);
    const flags = this.#memory.bytesAt(this.#area(1), 2);
    if (element === undefined || index === undefined || flags === undefined) {
      this.#break();
      return false;
    }
    putWord(element, 0, chain.head);
    putWord(element, 4, written);
    this.#used = (this.#used + 1) & 0xffff;
    index[0] = this.#used & 0xff;
    index[1] = this.#used >>> 8;
    this.#memory.wrote(place, USED_ELEMENT_BYTES);
    this.#memory.wrote(this.#area(2) + 2, 2);
    return (half(flags, 0) & NO_INTERRUPT) === 0;
  }

  #area(index: number): number {
    return (this.areas[2 * index + 1] ?? 0) * WORD + (this.areas[2 * index] ?? 0);
  }

  /** The index of the available ring: that of the next chain, if the queue cannot be used. */
  #index(): number {
    if (!this.ready) return this.#available;
    const header = this.#memory.bytesAt(this.#area(1), RING);
    if (header === undefined) {
      this.#break();
      return this.#available;
    }
    return half(header, 2);
  }

  #break(): undefined {
    this.broken = true;
    return undefined;
  }

  #chain(head: number): Chain | undefined {
    const readable: Segment[] = [];
    const writable: Segment[] = [];
    let table = this.#memory.bytesAt(this.#area(0), DESCRIPTOR_BYTES * this.size);
    let entries = this.size;
    let next = head;
    let bytes = 0;
    let indirect = false;
    // A chain has at most as many descriptors as the queue, even in an indirect table: what goes on is a loop.
    for (let count = 0; count < this.size; count += 1) {
      if (table === undefined || next >= entries) return this.#break();
      const at = next * DESCRIPTOR_BYTES;
      const address = word(table, at + 4) * WORD + word(table, at);
      const length = word(table, at + 8);
      const flags = half(table, at + 12);
      next = half(table, at + 14);
      if ((flags & Flag.INDIRECT) !== 0) {
        // An indirect descriptor is the last one of its chain, and none is inside of an indirect table.
        if (indirect || (flags & Flag.NEXT) !== 0 || length % DESCRIPTOR_BYTES !== 0) return this.#break();
        indirect = true;
        entries = length / DESCRIPTOR_BYTES;
        table = this.#memory.bytesAt(address, length);
        next = 0;
        continue;
      }
      bytes += length;
      const write = (flags & Flag.WRITE) !== 0;
      if (bytes > MAX_CHAIN_BYTES || (!write && writable.length > 0)) return this.#break();
      if (this.#memory.bytesAt(address, length) === undefined) return this.#break();
      (write ? writable : readable).push({ address, length });
      if ((flags & Flag.NEXT) === 0) return new Chain(this.#memory, head, readable, writable);
    }
    return this.#break();
  }
}

function half(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function word(bytes: Uint8Array, at: number): number {
  return (half(bytes, at) | (half(bytes, at + 2) << 16)) >>> 0;
}

function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = (value >>> 8) & 0xff;
  bytes[at + 2] = (value >>> 16) & 0xff;
  bytes[at + 3] = value >>> 24;
}
