/** Passes on the first lines of each kind: a guest may cause the same warning a million times a second. */
export class BoundedLog {
  readonly #log: (message: string) => void;
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(log: (message: string) => void, limit = 16) {
    this.#log = log;
    this.#limit = limit;
  }

  /** @param message made only when it is going to be logged */
  warn(kind: string, message: () => string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    if (count > this.#limit) return;
    this.#counts.set(kind, count);
    this.#log(message());
    if (count === this.#limit) this.#log(`${kind}: further warnings of this kind are not logged`);
  }
}
