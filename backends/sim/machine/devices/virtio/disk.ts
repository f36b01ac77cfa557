import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import type { Stateful } from '../../device.ts';

/** The bytes of a disk. Offsets and lengths are inside of it. */
export interface Disk extends Stateful, Partial<Disposable> {
  readonly bytes: number;
  /** Fills a buffer. */
  read(offset: number, into: Uint8Array): void;
  write(offset: number, from: Uint8Array): void;
}

/** What a disk is before it is written to, which never changes. */
export interface DiskImage extends Partial<Disposable> {
  readonly bytes: number;
  read(offset: number, into: Uint8Array): void;
}

/** An image in memory, which must not change. */
export function memoryImage(contents: Uint8Array): DiskImage {
  return {
    bytes: contents.length,
    read: (offset, into) => {
      into.set(contents.subarray(offset, offset + into.length));
    },
  };
}

/** An image in a file, which is opened for reading and must not change; close it after use. */
export class FileImage implements DiskImage, Disposable {
  readonly bytes: number;
  readonly #file: number;
  #open = true;

  /** @throws Error of `node:fs` if the file cannot be opened */
  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.bytes = fstatSync(this.#file).size;
  }

  read(offset: number, into: Uint8Array): void {
    let at = 0;
    while (at < into.length) {
      const bytes = readSync(this.#file, into, at, into.length - at, offset + at);
      // The file became shorter: what is missing reads as zeros.
      if (bytes === 0) break;
      at += bytes;
    }
    into.fill(0, at);
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#file);
    this.#open = false;
  }
}

const CHUNK_BYTES = 64 * 1024;

/** A disk that keeps what is written in memory, by chunks, and leaves its image as it is: every run starts the same. */
export class OverlayDisk implements Disk, Stateful<ReadonlyMap<number, Uint8Array>> {
  readonly bytes: number;
  readonly #image: DiskImage;
  /** Chunks that differ from the image, by number. Those in `#shared` are also a snapshot's, and are not written to. */
  readonly #chunks = new Map<number, Uint8Array>();
  readonly #shared = new WeakSet<Uint8Array>();

  constructor(image: DiskImage) {
    this.#image = image;
    this.bytes = image.bytes;
  }

  read(offset: number, into: Uint8Array): void {
    forEachChunk(offset, into.length, (number, within, at, length) => {
      const chunk = this.#chunks.get(number);
      const part = into.subarray(at, at + length);
      if (chunk === undefined) this.#image.read(offset + at, part);
      else part.set(chunk.subarray(within, within + length));
    });
  }

  write(offset: number, from: Uint8Array): void {
    forEachChunk(offset, from.length, (number, within, at, length) => {
      this.#own(number).set(from.subarray(at, at + length), within);
    });
  }

  save(): ReadonlyMap<number, Uint8Array> {
    for (const chunk of this.#chunks.values()) this.#shared.add(chunk);
    return new Map(this.#chunks);
  }

  restore(chunks: ReadonlyMap<number, Uint8Array>): void {
    this.#chunks.clear();
    for (const [number, chunk] of chunks) {
      this.#shared.add(chunk);
      this.#chunks.set(number, chunk);
    }
  }

  [Symbol.dispose](): void {
    this.#image[Symbol.dispose]?.();
  }

  /** A chunk that may be written to. */
  #own(number: number): Uint8Array {
    const known = this.#chunks.get(number);
    if (known !== undefined && !this.#shared.has(known)) return known;
    const chunk = known?.slice() ?? this.#original(number);
    this.#chunks.set(number, chunk);
    return chunk;
  }

  #original(number: number): Uint8Array {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const offset = number * CHUNK_BYTES;
    this.#image.read(offset, chunk.subarray(0, Math.min(CHUNK_BYTES, this.bytes - offset)));
    return chunk;
  }
}

function forEachChunk(
  offset: number,
  length: number,
  visit: (number: number, within: number, at: number, length: number) => void,
): void {
  for (let at = 0; at < length;) {
    const within = (offset + at) % CHUNK_BYTES;
    const part = Math.min(CHUNK_BYTES - within, length - at);
    visit((offset + at - within) / CHUNK_BYTES, within, at, part);
    at += part;
  }
}
