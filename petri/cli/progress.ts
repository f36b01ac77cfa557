import pc from 'picocolors';

import { harmlessLine } from '../text/index.ts';

/** Seconds of silence after which a person wants to know that something goes on. */
const QUIET_SECONDS = 2;

/**
 * A line on a terminal that shows, each second, what is going on while nothing is printed. On anything but a terminal
 * there is none.
 *
 * @param status what to say, asked each time
 */
export class Progress {
  readonly #status: () => string;
  readonly #timer: NodeJS.Timeout | undefined;
  #seconds = 0;
  #shown = false;

  constructor(status: () => string) {
    this.#status = status;
    if (process.stderr.isTTY) this.#timer = setInterval(() => this.#tick(), 1000).unref();
  }

  /** Takes the line away, for output to come. */
  clear(): void {
    this.#seconds = 0;
    if (!this.#shown) return;
    this.#shown = false;
    process.stderr.write('\r\x1b[K');
  }

  stop(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #tick(): void {
    this.#seconds += 1;
    if (this.#seconds < QUIET_SECONDS) return;
    this.#shown = true;
    process.stderr.write(`\r\x1b[K  ${pc.dim(harmlessLine(this.#status()))}`);
  }
}
