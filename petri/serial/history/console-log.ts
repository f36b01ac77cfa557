import { closeSync, mkdirSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/** Milliseconds between two entries of the timing file. */
const TIMING_INTERVAL = 10;

const MIB = 2 ** 20;

/**
 * A console on disk: `<name>.log` contains the bytes, written when they arrive, so that a crash of this process loses
 * nothing; `<name>.timing` is NDJSON, one `{"offset", "ms"}` for the first byte after each pause or interval, with `ms`
 * relative to `started` in the first line. The files are created at the first byte.
 *
 * Neither a disk error nor the limit fails the VM: writing stops and `failure` holds the reason.
 */
export class ConsoleLog {
  readonly path: string;
  readonly #directory: string;
  readonly #timingPath: string;
  readonly #endPath: string;
  readonly #limit: number;
  #log: number | undefined;
  #timing: number | undefined;
  #opened = false;
  #closed = false;
  #started = 0;
  #lastTiming = Number.NEGATIVE_INFINITY;
  #size = 0;
  #failure: Error | undefined;

  /** @param limit maximum size of the log in bytes */
  constructor(directory: string, name: string, limit: number) {
    const fileName = name.replaceAll(/[^\w.-]/g, '_');
    this.#directory = directory;
    this.#limit = limit;
    this.path = join(directory, `${fileName}.log`);
    this.#timingPath = join(directory, `${fileName}.timing`);
    this.#endPath = join(directory, `${fileName}.end.log`);
  }

  /** Bytes from the start of the stream that were written. */
  get size(): number {
    return this.#size;
  }

  /** Why the log is incomplete, if it is. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  append(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      if (this.#closed) throw new Error('bytes arrived after the log was closed');
      if (!this.#opened) this.#open();
      this.#stamp();
      const room = this.#limit - this.#size;
      this.#writeAll(bytes.subarray(0, room));
      if (bytes.length > room) throw new Error(`it has reached its limit of ${describeSize(this.#limit)}`);
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Fills `target` from an offset of the stream. @returns the number of bytes, 0 if they are not available */
  read(offset: number, target: Uint8Array): number {
    if (!this.#opened || offset >= this.#size) return 0;
    const length = Math.min(target.length, this.#size - offset);
    try {
      if (this.#log !== undefined) return readSync(this.#log, target, 0, length, offset);
      const log = openSync(this.path, 'r');
      try {
        return readSync(log, target, 0, length, offset);
      } finally {
        closeSync(log);
      }
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
      return 0;
    }
  }

  /** Writes the end of a stream to `<name>.end.log`, if the log has stopped before it. Never throws. */
  writeEnd(bytes: Uint8Array): void {
    try {
      writeFileSync(this.#endPath, bytes);
    } catch {
      // The disk has already failed for the log.
    }
  }

  /** Closes the files. Nothing can be written afterwards. Idempotent. */
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

function describeSize(bytes: number): string {
  return bytes % MIB === 0 ? `${String(bytes / MIB)} MiB` : `${bytes.toLocaleString('en')} bytes`;
}
