import { PetriError } from '../../errors.ts';
import type { ByteHistory, Gap } from '../history/byte-history.ts';
import type { ConsoleLog } from '../history/console-log.ts';
import type { ByteSource } from './text-reader.ts';

/** Bytes that a read takes from disk at once. */
const DISK_READ = 64 * 1024;

/** The bytes of a console: from memory, or else from disk. */
export class StreamBytes implements ByteSource {
  readonly #console: string;
  readonly #history: ByteHistory;
  readonly #log: ConsoleLog | undefined;
  #scratch: Uint8Array | undefined;

  constructor(console: string, history: ByteHistory, log: ConsoleLog | undefined) {
    this.#console = console;
    this.#history = history;
    this.#log = log;
  }

  get size(): number {
    return this.#history.size;
  }

  bytesAt(offset: number): Uint8Array {
    const view = this.#history.view(offset);
    if (view.length > 0 || offset >= this.#history.size) return view;
    if (this.#log === undefined) throw this.#lost(offset);
    this.#scratch ??= new Uint8Array(DISK_READ);
    const length = Math.min(this.#scratch.length, (this.#history.gap?.end ?? offset) - offset);
    const count = this.#log.read(offset, this.#scratch.subarray(0, length));
    if (count === 0) throw this.#lost(offset);
    return this.#scratch.subarray(0, count);
  }

  /** The bytes that are neither in memory nor on disk. */
  get gap(): Gap | undefined {
    const { gap } = this.#history;
    if (gap === undefined) return undefined;
    const start = Math.max(gap.start, this.#log?.size ?? 0);
    return start < gap.end ? { start, end: gap.end } : undefined;
  }

  /** The offset from which on everything is in memory. */
  get endInMemory(): number {
    return this.#history.gap?.end ?? 0;
  }

  #lost(offset: number): PetriError {
    const { end } = this.#history.gap ?? { end: offset };
    const why = this.#log === undefined ? 'it has no log' : (this.#log.failure?.message ?? 'its log was cut');
    const bytes = `bytes ${offset.toLocaleString('en')} to ${end.toLocaleString('en')}`;
    return new PetriError(`${bytes} of console '${this.#console}' are lost, and could contain the match: ${why}`, {
      code: 'console-incomplete',
      step: 'run',
      remedy: 'make room on the disk or raise `consoleLimit`; or wait for output while the guest prints it',
      ...(this.#log?.failure === undefined ? {} : { cause: this.#log.failure }),
    });
  }
}
