import stripAnsi from 'strip-ansi';

/**
 * Longest control sequence that is recognised, in characters. What is longer is text: a guest that sends ESC and then
 * megabytes without an end must neither be held back nor searched again and again.
 */
export const LONGEST_SEQUENCE = 2048;

const ESC = '\u001B';

/** 8-bit introducers and the string terminator (ECMA-48, C1), which mean ESC and the character 0x40 below. */
const C1 = /[\u0090\u0098\u009B-\u009F]/;

/** The classes are those of ansi-regex: a string's payload ends at any of these. */
const PAYLOAD = String.raw`[^\u0018\u001A\u001B\u0080-\u009F]*`;
const OSC_PAYLOAD = String.raw`[^\u0007\u0018\u001A\u001B\u0080-\u009F]*`;
const PALETTE = String.raw`P[\dA-Fa-f]{7}|R`;

/** A sequence without its last character or terminator: OSC, the other control strings, CSI, ESC and intermediates. */
const UNFINISHED = String.raw`\u001B(?:\](?!${PALETTE})${OSC_PAYLOAD}|[PX^_k]${PAYLOAD}|\[[0-?]*[ -/]*|[ -/]*)`;

const unfinishedEverywhere = new RegExp(UNFINISHED, 'g');
const unfinishedToTheEnd = new RegExp(String.raw`^(?:${UNFINISHED}|\u001B\](?:${PALETTE}))$`);
const openString = new RegExp(String.raw`^\u001B(?:\](?:${PALETTE}|(?!${PALETTE})${OSC_PAYLOAD})|[PX^_k]${PAYLOAD})$`);

/**
 * Takes control sequences out of a text that arrives in pieces. However it is cut, the outcome is the same: a sequence
 * that may go on in the next piece is held back until it is decided.
 */
export class ControlSequenceFilter {
  #held: string;

  constructor(held = '') {
    this.#held = held;
  }

  push(piece: string): string {
    const text = this.#held + (C1.test(piece) ? toSevenBit(piece) : piece);
    if (!text.includes(ESC)) {
      this.#held = '';
      return text;
    }
    const cut = undecidedFrom(text);
    this.#held = text.slice(cut);
    return strip(text.slice(0, cut));
  }

  /** What is still held back when nothing more will come. */
  finish(): string {
    const rest = this.#held;
    this.#held = '';
    return strip(rest);
  }

  clone(): ControlSequenceFilter {
    return new ControlSequenceFilter(this.#held);
  }
}

function toSevenBit(piece: string): string {
  return piece.replaceAll(/[\u0090\u0098\u009B-\u009F]/g, (c1) => ESC + String.fromCharCode(c1.charCodeAt(0) - 0x40));
}

/** Where the part begins that cannot be judged before more text comes; the length of the text if there is none. */
function undecidedFrom(text: string): number {
  const last = text.lastIndexOf(ESC);
  const tail = text.slice(last, last + LONGEST_SEQUENCE + 1);
  if (tail === ESC) {
    // A lone ESC may be the first half of the terminator of the string before it.
    const before = last === 0 ? -1 : text.lastIndexOf(ESC, last - 1);
    const open = before === -1 ? '' : text.slice(before, last);
    return open !== '' && open.length <= LONGEST_SEQUENCE && openString.test(open) ? before : last;
  }
  return tail.length <= LONGEST_SEQUENCE && unfinishedToTheEnd.test(tail) ? last : text.length;
}

function strip(text: string): string {
  return stripAnsi(text.length > LONGEST_SEQUENCE ? text.replaceAll(unfinishedEverywhere, breakLong) : text);
}

/** Makes an overlong sequence plain text by replacing its ESC. */
function breakLong(sequence: string): string {
  return sequence.length > LONGEST_SEQUENCE ? `\uFFFD${sequence.slice(1)}` : sequence;
}
