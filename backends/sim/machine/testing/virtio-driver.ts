import { Clock } from '../../cpu/index.ts';
import type { VirtioDevice } from '../devices/virtio/virtio-device.ts';
import { VirtioMmio } from '../devices/virtio/virtio-mmio.ts';
import { TestLine, words } from './device-bench.ts';
import { TestMemory } from './test-memory.ts';

export const QUEUE_SIZE = 16;
const QUEUE_BYTES = 0x1000;
const AVAILABLE = 0x400;
const USED = 0x800;
export const Descriptor = { NEXT: 1, WRITE: 2, INDIRECT: 4 } as const;

/** A buffer that a driver adds: bytes for the device, or room for what it writes. */
export type DriverBuffer = Uint8Array | number;

/** A driver of virtio-mmio that a test moves by hand. */
export class TestDriver {
  readonly clock = new Clock();
  readonly interrupt = new TestLine();
  readonly memory = new TestMemory();
  readonly transport: VirtioMmio;
  readonly read: (offset: number) => number;
  readonly write: (offset: number, value: number) => void;
  /** Where the next buffer goes. */
  #heap: number;
  readonly #added: number[];
  readonly #seen: number[];

  constructor(device?: VirtioDevice) {
    const { clock, interrupt, memory } = this;
    this.transport = new VirtioMmio({ clock, interrupt, memory, ...(device !== undefined && { device }) });
    const queues = device?.queues.length ?? 0;
    ({ read: this.read, write: this.write } = words(this.transport));
    this.#heap = memory.base + 0x4_0000;
    this.#added = Array.from({ length: queues }, () => 0);
    this.#seen = Array.from({ length: queues }, () => 0);
  }

  /** Negotiates all features of the device and starts it, with its queues at the start of memory. */
  start(): this {
    this.write(0x70, 0);
    this.write(0x70, 1);
    this.write(0x70, 3);
    for (const word of [0, 1]) {
      this.write(0x14, word);
      this.write(0x24, word);
      this.write(0x20, this.read(0x10));
    }
    this.write(0x70, 11);
    for (const queue of this.#added.keys()) {
      this.memory.at(this.queueAt(queue), QUEUE_BYTES).fill(0);
      this.#added[queue] = 0;
      this.#seen[queue] = 0;
      this.write(0x30, queue);
      this.write(0x38, QUEUE_SIZE);
      const areas = [0, AVAILABLE, USED].map((offset) => this.queueAt(queue) + offset);
      for (const [index, area] of areas.entries()) {
        this.write(0x80 + 0x10 * index, area);
        this.write(0x84 + 0x10 * index, 0);
      }
      this.write(0x44, 1);
    }
    this.write(0x70, 15);
    return this;
  }

  queueAt(queue: number): number {
    return this.memory.base + queue * QUEUE_BYTES;
  }

  allocate(length: number): number {
    const address = this.#heap;
    this.#heap += Math.ceil(length / 16) * 16;
    return address;
  }

  setDescriptor(table: number, index: number, address: number, length: number, flags: number, next: number): void {
    const view = this.memory.view(table + 16 * index, 16);
    view.setBigUint64(0, BigInt(address), true);
    view.setUint32(8, length, true);
    view.setUint16(12, flags, true);
    view.setUint16(14, next, true);
  }

  /**
   * Adds a chain of buffers and notifies the device.
   *
   * @param first the descriptor that it starts with
   * @returns where the buffers are
   */
  add(queue: number, buffers: readonly DriverBuffer[], first = 0): number[] {
    const addresses = buffers.map((buffer, index) => {
      const length = typeof buffer === 'number' ? buffer : buffer.length;
      const address = this.allocate(length);
      if (typeof buffer !== 'number') this.memory.at(address, length).set(buffer);
      const flags = (index + 1 < buffers.length ? Descriptor.NEXT : 0) | (typeof buffer === 'number' ? 2 : 0);
      this.setDescriptor(this.queueAt(queue), first + index, address, length, flags, first + index + 1);
      return address;
    });
    this.makeAvailable(queue, first);
    this.write(0x50, queue);
    return addresses;
  }

  makeAvailable(queue: number, head: number): void {
    const ring = this.memory.view(this.queueAt(queue) + AVAILABLE, 4 + 2 * QUEUE_SIZE);
    const added = this.#added[queue] ?? 0;
    ring.setUint16(4 + 2 * (added % QUEUE_SIZE), head, true);
    this.#added[queue] = added + 1;
    ring.setUint16(2, (added + 1) & 0xffff, true);
  }

  setAvailableIndex(queue: number, index: number): void {
    this.memory.view(this.queueAt(queue) + AVAILABLE, 4).setUint16(2, index, true);
  }

  /** Chains that the device gave back since the last call: the descriptor they start with, and the bytes written. */
  used(queue: number): [head: number, written: number][] {
    const ring = this.memory.view(this.queueAt(queue) + USED, 4 + 8 * QUEUE_SIZE);
    const all: [number, number][] = [];
    let seen = this.#seen[queue] ?? 0;
    for (; seen !== ring.getUint16(2, true); seen = (seen + 1) & 0xffff) {
      const at = 4 + 8 * (seen % QUEUE_SIZE);
      all.push([ring.getUint32(at, true), ring.getUint32(at + 4, true)]);
    }
    this.#seen[queue] = seen;
    return all;
  }

  /** Whether the device gave up on the driver. */
  get failed(): boolean {
    return (this.read(0x70) & 64) !== 0;
  }
}
