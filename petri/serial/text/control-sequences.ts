/**
 * Longest control sequence that is recognised, in characters. A longer one is text: if a guest sends ESC and then
 * megabytes without an end, they must be neither held back nor searched repeatedly.
 */
export const LONGEST_SEQUENCE = 2048;

const ESC = '\u001B';

/** 8-bit controls (ECMA-48, C1), which mean ESC and the character 0x40 below. */
const C1 = /[\u0080-\u009F]/;

/** The payload of a control string; besides its terminator, CAN, SUB and the next sequence end it. */
const PAYLOAD = String.raw`[^\u0018\u001A\u001B\u0080-\u009F]*`;
const OSC_PAYLOAD = String.raw`[^\u0007\u0018\u001A\u001B\u0080-\u009F]*`;
/** The Linux console's palette (console_codes(4)), which has no terminator. */
const PALETTE = String.raw`P[\dA-Fa-f]{7}|R`;

/** A sequence without its last character or terminator: OSC, the other control strings, CSI, ESC and intermediates. */
const UNFINISHED = String.raw`\u001B(?:\](?!${PALETTE})${OSC_PAYLOAD}|[PX^_k]${PAYLOAD}|\[[0-?]*[ -/]*|[ -/]*)`;

/**
 * A control sequence, source of a RegExp: ECMA-48, section 5, and the titles of xterm and screen. Group 1 has the
 * parameters of a CSI.
 */
export const SEQUENCE = [
  String.raw`\u001B(?:\[([0-?]*)[ -/]*[@-~]`,
  String.raw`\](?:${PALETTE}|(?!${PALETTE})${OSC_PAYLOAD}(?:\u0007|\u001B\\))`,
  String.raw`[PX^_k]${PAYLOAD}\u001B\\`,
  String.raw`[ -/]+[0-~]|[0-OQ-WYZ\\\`a-jl-~])`,
].join('|');

const unfinishedEverywhere = new RegExp(UNFINISHED, 'g');
const unfinishedToTheEnd = new RegExp(String.raw`^(?:${UNFINISHED}|\u001B\](?:${PALETTE}))$`);
const openString = new RegExp(String.raw`^\u001B(?:\](?:${PALETTE}|(?!${PALETTE})${OSC_PAYLOAD})|[PX^_k]${PAYLOAD})$`);

/**
 * Splits a text that arrives in chunks without splitting a control sequence: one that may continue in the next chunk is
 * held back until that is decided. 8-bit controls are converted to two characters.
 */
export class WholeSequences {
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
    return withoutLong(text.slice(0, cut));
  }

  /** What is still held back at the end of the stream. */
  finish(): string {
    const rest = this.#held;
    this.#held = '';
    return withoutLong(rest);
  }

  clone(): WholeSequences {
    return new WholeSequences(this.#held);
  }
}

function toSevenBit(piece: string): string {
  return piece.replaceAll(/[\u0080-\u009F]/g, (c1) => ESC + String.fromCharCode(c1.charCodeAt(0) - 0x40));
}

/** Start of the part that cannot be decided before more text arrives; the length of the text if there is none. */
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

function withoutLong(text: string): string {
  return text.length > LONGEST_SEQUENCE ? text.replaceAll(unfinishedEverywhere, breakLong) : text;
}

/** Makes an overlong sequence plain text by replacing its ESC. */
function breakLong(sequence: string): string {
  return sequence.length > LONGEST_SEQUENCE ? `\uFFFD${sequence.slice(1)}` : sequence;
}
