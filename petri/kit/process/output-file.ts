import { closeSync, openSync, writeSync } from 'node:fs';

const maxBytes = 2 ** 28;

/**
 * Appends the output of a process to a file, at once and in order, up to 256 MiB. A full disk does not end the process.
 */
export class OutputFile {
  #file: number | undefined;
  #left = maxBytes;

  /** @throws Error of the file system */
  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  write(chunk: Buffer): void {
    if (this.#file === undefined) return;
    try {
      const part = chunk.subarray(0, this.#left);
      for (let at = 0; at < part.length;) at += writeSync(this.#file, part, at);
      this.#left -= part.length;
      if (this.#left === 0) {
        writeSync(this.#file, '\n[petri: the output goes on; 256 MiB of it are kept]\n');
        this.close();
      }
    } catch (error) {
      process.emitWarning(`output of a process is not kept any more: ${String(error)}`, 'PetriWarning');
      this.close();
    }
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }
}
