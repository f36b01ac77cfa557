import type { Chain } from './chain.ts';
import type { Disk } from './disk.ts';
import { serveChains } from './serve-chains.ts';
import type { VirtioDevice, VirtioDriver } from './virtio-device.ts';

const SECTOR_BYTES = 512;
/** Virtio 1.2, 5.2.6. */
const HEADER_BYTES = 16;
const Type = { IN: 0, OUT: 1, FLUSH: 4, GET_ID: 8 } as const;
const Outcome = { OK: 0, IOERR: 1, UNSUPP: 2 } as const;
const ID_BYTES = 20;
const Feature = { SEG_MAX: 2, RO: 5, BLK_SIZE: 6, FLUSH: 9 } as const;
const QUEUE = 0;
const QUEUE_SIZE = 256;
/** The header and the status take a descriptor each. */
const SEGMENTS = QUEUE_SIZE - 2;
const CONFIGURATION_BYTES = 24;
const WORD = 2 ** 32;

export interface VirtioBlockOptions {
  readonly disk: Disk;
  /** What the driver shows as serial number, at most 20 ASCII characters. */
  readonly serial: string;
  /** @default false */
  readonly readOnly?: boolean;
  /** Guest time in nanoseconds that a request takes at least. @default 20 µs */
  readonly latency?: number;
}

/**
 * A block device (Virtio 1.2, 5.2) with one queue. Sectors beyond the last full one cannot be reached. Requests are
 * done in the order in which they were made available.
 */
export class VirtioBlock implements VirtioDevice {
  readonly id = 2;
  readonly features: readonly number[];
  readonly queues = [QUEUE_SIZE];
  readonly latency: number;
  readonly configuration = new Uint8Array(CONFIGURATION_BYTES);
  readonly #disk: Disk;
  readonly #bytes: number;
  readonly #serial: Uint8Array;
  readonly #readOnly: boolean;
  #driver: VirtioDriver | undefined;

  constructor({ disk, serial, readOnly = false, latency = 20_000 }: VirtioBlockOptions) {
    this.#disk = disk;
    this.#bytes = disk.bytes - (disk.bytes % SECTOR_BYTES);
    this.#serial = Buffer.from(serial, 'latin1').subarray(0, ID_BYTES);
    this.#readOnly = readOnly;
    this.latency = latency;
    this.features = [Feature.SEG_MAX, Feature.BLK_SIZE, Feature.FLUSH, ...(readOnly ? [Feature.RO] : [])];
    const view = new DataView(this.configuration.buffer);
    view.setBigUint64(0, BigInt(this.#bytes / SECTOR_BYTES), true);
    view.setUint32(12, SEGMENTS, true);
    view.setUint32(20, SECTOR_BYTES, true);
  }

  connect(driver: VirtioDriver): void {
    this.#driver = driver;
  }

  serve(queue: number): void {
    if (this.#driver === undefined || queue !== QUEUE) return;
    serveChains(this.#driver, queue, (chain) => this.#request(chain));
  }

  reset(): void {
    // A request is done as soon as it is taken.
  }

  save(): unknown {
    return this.#disk.save();
  }

  restore(state: unknown): void {
    this.#disk.restore(state);
  }

  /** Closes what its disk has open. */
  [Symbol.dispose](): void {
    this.#disk[Symbol.dispose]?.();
  }

  /** @returns how many bytes it wrote: what was read, and the status in the last byte */
  #request(chain: Chain): number {
    if (chain.writableBytes === 0) return 0;
    const room = chain.writableBytes - 1;
    const { outcome, written } = this.#execute(chain, room);
    chain.write(room, Uint8Array.of(outcome));
    // Without data the driver looks at the last byte all the same.
    return written === room ? chain.writableBytes : written;
  }

  #execute(chain: Chain, room: number): { readonly outcome: number; readonly written: number } {
    const failed = (outcome: number) => ({ outcome, written: 0 });
    const header = chain.read(0, HEADER_BYTES);
    if (header.length < HEADER_BYTES) return failed(Outcome.IOERR);
    const view = new DataView(header.buffer);
    const offset = (view.getUint32(12, true) * WORD + view.getUint32(8, true)) * SECTOR_BYTES;
    switch (view.getUint32(0, true)) {
      case Type.IN:
        if (!this.#holds(offset, room)) return failed(Outcome.IOERR);
        this.#read(chain, offset, room);
        return { outcome: Outcome.OK, written: room };
      case Type.OUT: {
        const bytes = chain.readableBytes - HEADER_BYTES;
        if (this.#readOnly || !this.#holds(offset, bytes)) return failed(Outcome.IOERR);
        this.#write(chain, offset, bytes);
        return { outcome: Outcome.OK, written: room };
      }
      case Type.FLUSH:
        return { outcome: Outcome.OK, written: room };
      case Type.GET_ID: {
        const id = new Uint8Array(Math.min(ID_BYTES, room));
        id.set(this.#serial.subarray(0, id.length));
        chain.write(0, id);
        return { outcome: Outcome.OK, written: room };
      }
      default:
        return failed(Outcome.UNSUPP);
    }
  }

  #holds(offset: number, bytes: number): boolean {
    return bytes % SECTOR_BYTES === 0 && offset + bytes <= this.#bytes;
  }

  #read(chain: Chain, offset: number, bytes: number): void {
    let at = offset;
    chain.writeChunks(0, bytes, (chunk) => {
      this.#disk.read(at, chunk);
      at += chunk.length;
    });
  }

  #write(chain: Chain, offset: number, bytes: number): void {
    let at = offset;
    chain.readChunks(HEADER_BYTES, bytes, (chunk) => {
      this.#disk.write(at, chunk);
      at += chunk.length;
    });
  }
}
