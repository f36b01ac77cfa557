/** Admits one user at a time, in the order of arrival. */
export class Turnstile {
  readonly #what: string;
  #holder: string | undefined;
  readonly #queue: { readonly who: string; readonly enter: () => void }[] = [];

  /** @param what name of the resource: 'the model' */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * @param who shown to those who wait behind
   * @param onWait called once with who is in front, if anybody is
   * @returns a function that admits the next one; to be called once
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
      // Set at once, so that nobody can enter in between.
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
