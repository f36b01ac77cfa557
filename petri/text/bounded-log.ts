/** Lines of one kind that are passed on. */
const LIMIT = 16;

/**
 * One kind of line in a log that a guest may cause a million times a second: the first are passed on, the rest are not.
 * Ask `open` before making the message.
 */
export class BoundedLog {
  readonly #kind: string;
  readonly #log: (message: string) => void;
  #left = LIMIT;

  constructor(kind: string, log: (message: string) => void) {
    this.#kind = kind;
    this.#log = log;
  }

  get open(): boolean {
    return this.#left > 0;
  }

  add(message: string): void {
    if (this.#left === 0) return;
    this.#log(message);
    if (--this.#left === 0) this.#log(`${this.#kind}: no further lines of this kind`);
  }
}
