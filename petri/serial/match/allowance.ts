/** Initial characters, enough for ordinary spinners for hours. */
const ONCE = 1024 * 1024;

/** Additional characters for each one that the guest sends. */
const RATE = 4;

/**
 * Limits the text that a guest's redrawing may add. It keeps the text of a console proportional to the bytes that
 * arrived, and depends only on them.
 */
export class Allowance {
  #left: number;

  constructor(left = ONCE) {
    this.#left = left;
  }

  clone(): Allowance {
    return new Allowance(this.#left);
  }

  /** @param length characters that the guest has sent */
  earn(length: number): void {
    this.#left += RATE * length;
  }

  /** Uses up a number of characters. @returns whether there were enough */
  spend(count: number): boolean {
    if (count > this.#left) return false;
    this.#left -= count;
    return true;
  }
}
