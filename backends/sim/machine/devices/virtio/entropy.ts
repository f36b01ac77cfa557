import { createCipheriv, createHash } from 'node:crypto';

import { serveChains } from './serve-chains.ts';
import type { VirtioDevice, VirtioDriver } from './virtio-device.ts';

const QUEUE = 0;
const BLOCK_BYTES = 16;
const CHUNK_BYTES = 64 * 1024;

/**
 * The entropy device (Virtio 1.2, 5.4). Its bytes follow from a seed, so that every run of a guest has the same: the
 * key stream of AES-256 in counter mode under the digest of the seed.
 */
export class VirtioEntropy implements VirtioDevice<number> {
  readonly id = 4;
  readonly features = [];
  readonly queues = [64];
  readonly latency = 0;
  readonly configuration = new Uint8Array();
  readonly #key: Uint8Array;
  /** Blocks of the key stream that were used. */
  #used = 0;
  #driver: VirtioDriver | undefined;

  constructor(seed: Uint8Array) {
    this.#key = createHash('sha256').update('virtio-rng').update(seed).digest();
  }

  connect(driver: VirtioDriver): void {
    this.#driver = driver;
  }

  serve(queue: number): void {
    if (this.#driver === undefined || queue !== QUEUE) return;
    serveChains(this.#driver, queue, (chain) => {
      chain.writeChunks(0, chain.writableBytes, (bytes) => {
        for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
          const part = bytes.subarray(at, at + CHUNK_BYTES);
          part.set(this.#random(part.length));
        }
      });
      return chain.writableBytes;
    });
  }

  reset(): void {
    // What was given is not given again.
  }

  save(): number {
    return this.#used;
  }

  restore(used: number): void {
    this.#used = used;
  }

  #random(bytes: number): Uint8Array {
    const counter = Buffer.alloc(BLOCK_BYTES);
    counter.writeBigUInt64BE(BigInt(this.#used), BLOCK_BYTES / 2);
    this.#used += Math.ceil(bytes / BLOCK_BYTES);
    return createCipheriv('aes-256-ctr', this.#key, counter).update(new Uint8Array(bytes));
  }
}
