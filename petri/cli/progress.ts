import pc from 'picocolors';

import { harmlessLine } from '../text/index.ts';

/** Seconds without output after which progress is shown. */
const QUIET_SECONDS = 2;

/**
 * A line on a terminal that shows the current activity, once per second while nothing is printed. Without a terminal
 * there is none.
 *
 * @param status returns the text
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

  /** Removes the line, before other output. */
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
