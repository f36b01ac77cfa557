import { BoundedLog } from '../text/index.ts';

/**
 * What becomes of an access outside of RAM, of the holes and of the command address, the same under every monitor: a
 * read gives all ones, a write is ignored, and the first of both are logged. Ask `logsReads` and `logsWrites` before
 * making a summary.
 */
export class NoDevice {
  readonly #reads: BoundedLog;
  readonly #writes: BoundedLog;

  /** @param log takes a line for whoever looks into a failure */
  constructor(log: (message: string) => void) {
    this.#reads = new BoundedLog('reads of no device', log);
    this.#writes = new BoundedLog('writes to no device', log);
  }

  get logsReads(): boolean {
    return this.#reads.open;
  }

  get logsWrites(): boolean {
    return this.#writes.open;
  }

  /** @param summary the access and its address */
  read(summary: string): void {
    this.#reads.add(`${summary}: no device; read as all ones`);
  }

  write(summary: string, value: bigint): void {
    this.#writes.add(`${summary}: no device; ignored 0x${value.toString(16)}`);
  }
}
