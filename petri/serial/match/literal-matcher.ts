import { describePattern, type Found, type Matcher } from './pattern.ts';

/** Finds the first occurrence of a text. Reads each character once. */
export class LiteralMatcher implements Matcher {
  readonly description: string;
  readonly unsettled = false;
  readonly behind = false;
  readonly #text: string;
  /** The end of the text so far, too short to contain a match. */
  #carry = '';
  /** Number of characters before the carry. */
  #before = 0;

  constructor(text: string) {
    this.#text = text;
    this.description = describePattern(text);
  }

  feed(piece: string): Found | undefined {
    const window = this.#carry === '' ? piece : this.#carry + piece;
    const at = window.indexOf(this.#text);
    if (at !== -1) {
      return {
        match: this.#text,
        captures: [],
        groups: {},
        index: this.#before + at,
        rest: window.slice(at + this.#text.length),
      };
    }
    const keep = Math.min(window.length, this.#text.length - 1);
    this.#before += window.length - keep;
    this.#carry = keep === 0 ? '' : window.slice(-keep);
    return undefined;
  }

  settle(): undefined {
    return undefined;
  }
}
