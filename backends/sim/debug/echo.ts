import type { TmkListener } from '../../../petri/tmk/index.ts';

/**
 * Passes on what a guest says. A guest that is run again from its start says the same again: only what is new is passed
 * on.
 */
export class Echo implements TmkListener {
  readonly #listener: TmkListener;
  /** Bytes and lines of the present life, and of the one that got furthest. */
  #bytes = 0;
  #lines = 0;
  #furthestByte = 0;
  #furthestLine = 0;

  constructor(listener: TmkListener) {
    this.#listener = listener;
  }

  /** The guest begins again. */
  again(): void {
    this.#bytes = 0;
    this.#lines = 0;
  }

  readonly print = (bytes: Uint8Array): void => {
    const known = Math.min(bytes.length, this.#furthestByte - this.#bytes);
    this.#bytes += bytes.length;
    this.#furthestByte = Math.max(this.#furthestByte, this.#bytes);
    if (known < bytes.length) this.#listener.print(bytes.subarray(known));
  };

  readonly log = (message: string): void => {
    this.#lines += 1;
    if (this.#lines <= this.#furthestLine) return;
    this.#furthestLine = this.#lines;
    this.#listener.log(message);
  };
}
