/** Lets one through at a time, in the order in which they came. */
export class Turnstile {
  readonly #what: string;
  #holder: string | undefined;
  readonly #queue: { readonly who: string; readonly enter: () => void }[] = [];

  /** @param what it leads to: 'the model' */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * @param who named to those who wait behind
   * @param onWait called with who is in front, once, if anybody is
   * @returns what lets the next one through; to be called once
   * @throws the signal's reason
   */
  async enter(who: string, signal: AbortSignal, onWait: (why: string) => void): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#holder !== undefined) {
      const { length } = this.#queue;
      onWait(`'${this.#holder}' is using ${this.#what}${length === 0 ? '' : `, and ${length} more wait before this`}`);
      await this.#wait(who, signal);
    }
    this.#holder = who;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#holder = undefined;
      const next = this.#queue.shift();
      if (next === undefined) return;
      // Taken at once, so that nobody slips in between.
      this.#holder = next.who;
      next.enter();
    };
  }

  async #wait(who: string, signal: AbortSignal): Promise<void> {
    let onAbort: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const place = { who, enter: resolve };
        this.#queue.push(place);
        onAbort = (): void => {
          const index = this.#queue.indexOf(place);
          if (index < 0) return;
          this.#queue.splice(index, 1);
          reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
        };
        signal.addEventListener('abort', onAbort, { once: true });
      });
    } finally {
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }
}
