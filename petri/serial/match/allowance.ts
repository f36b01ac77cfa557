/** Characters given once, so that spinners of ordinary length go on for hours. */
const ONCE = 1024 * 1024;

/** Characters for each one that the guest sends. */
const RATE = 4;

/**
 * How much may be given out again because a guest redraws. It keeps the text of a console in proportion to the bytes
 * that arrived, whatever they are, and depends on nothing but them.
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

  /** Takes a number of characters; returns whether they were there. */
  spend(count: number): boolean {
    if (count > this.#left) return false;
    this.#left -= count;
    return true;
  }
}
