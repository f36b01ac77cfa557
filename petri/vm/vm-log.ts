import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { harmlessMessage } from '../text/index.ts';

/** Bytes of log per VM: a VM that is stuck must not fill the disk with our own words. */
const LIMIT = 1024 * 1024;

/**
 * The framework's and the backend's own log of one VM, `petri.log` in its folder. Made at the first line. An entry
 * begins with the time; further lines of one are quoted, so that no guest can make an entry.
 */
export class VmLog {
  readonly #path: string;
  #descriptor: number | undefined;
  #closed = false;
  #size = 0;

  constructor(directory: string) {
    this.#path = join(directory, 'petri.log');
  }

  write(message: string): void {
    if (this.#closed) return;
    const line = `${new Date().toISOString()} ${harmlessMessage(message)}\n`;
    this.#size += line.length;
    if (this.#size > LIMIT) {
      this.#append(`[petri: the log is full; later lines are dropped]\n`);
      this.close();
    } else this.#append(line);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #append(text: string): void {
    try {
      this.#descriptor ??= openSync(this.#path, 'a');
      writeSync(this.#descriptor, text);
    } catch {
      // A disk that is full does not fail the VM, and there is no other place to report it.
      this.#closed = true;
    }
  }
}
