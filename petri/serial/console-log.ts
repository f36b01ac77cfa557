import { closeSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** Milliseconds between two entries of the timing file. */
const TIMING_INTERVAL = 10;

/**
 * A console on disk: `<name>.log` is what arrived, byte for byte, written when it arrives so that a crash of this process
 * loses nothing; `<name>.timing` is NDJSON, one `{"offset", "ms"}` for the first byte after each pause or interval, `ms`
 * counted from the first line's `started`. The files are made at the first byte.
 *
 * A disk that fails does not fail the VM: writing stops and `failure` tells why.
 */
export class ConsoleLog {
  readonly path: string;
  readonly #directory: string;
  readonly #timingPath: string;
  #log: number | undefined;
  #timing: number | undefined;
  #opened = false;
  #closed = false;
  #started = 0;
  #lastTiming = Number.NEGATIVE_INFINITY;
  #size = 0;
  #failure: Error | undefined;

  constructor(directory: string, name: string) {
    const fileName = name.replaceAll(/[^\w.-]/g, '_');
    this.#directory = directory;
    this.path = join(directory, `${fileName}.log`);
    this.#timingPath = join(directory, `${fileName}.timing`);
  }

  /** Why the files are not complete, when they are not. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  append(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      if (this.#closed) throw new Error('bytes arrived after the log was closed');
      if (!this.#opened) this.#open();
      this.#stamp();
      this.#writeAll(bytes);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Fills `target` from an offset of the stream; returns how many bytes there were, 0 when they cannot be had. */
  read(offset: number, target: Uint8Array): number {
    if (this.#log === undefined || offset >= this.#size) return 0;
    try {
      return readSync(this.#log, target, 0, Math.min(target.length, this.#size - offset), offset);
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
      return 0;
    }
  }

  /** Lets go of the files. Nothing can be read or written after. Idempotent. */
  close(): void {
    for (const descriptor of [this.#log, this.#timing]) if (descriptor !== undefined) closeSync(descriptor);
    this.#log = undefined;
    this.#timing = undefined;
    this.#closed = true;
  }

  #open(): void {
    this.#opened = true;
    this.#log = this.#create(this.path);
    this.#timing = openSync(this.#timingPath, 'w');
    this.#started = performance.now();
    writeSync(this.#timing, `${JSON.stringify({ started: new Date().toISOString() })}\n`);
  }

  #create(path: string): number {
    try {
      return openSync(path, 'w+');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      mkdirSync(this.#directory, { recursive: true });
      return openSync(path, 'w+');
    }
  }

  #stamp(): void {
    if (this.#timing === undefined) return;
    const now = performance.now() - this.#started;
    if (now - this.#lastTiming < TIMING_INTERVAL) return;
    this.#lastTiming = now;
    writeSync(this.#timing, `{"offset":${String(this.#size)},"ms":${now.toFixed(1)}}\n`);
  }

  #writeAll(bytes: Uint8Array): void {
    if (this.#log === undefined) return;
    let done = 0;
    while (done < bytes.length) {
      const count = writeSync(this.#log, bytes, done, bytes.length - done, this.#size);
      done += count;
      this.#size += count;
    }
  }
}
