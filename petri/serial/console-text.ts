import { isAscii } from 'node:buffer';
import { ControlSequenceFilter } from './control-sequences.ts';

/**
 * Bytes of a console to the text that tests see: UTF-8 with U+FFFD for what is invalid, control sequences taken out, and
 * carriage returns that belong to a line end dropped (`\r\n`, `\r\r\n` and `\n\r` are all `\n`; of other runs of
 * carriage returns one is left). However the bytes are cut into pieces, the joined text is the same.
 */
export class ConsoleText {
  #bytes: Uint8Array = new Uint8Array(0);
  #sequences = new ControlSequenceFilter();
  #carriageReturn = false;
  #atLineStart = true;

  push(piece: Uint8Array): string {
    return this.#normalise(this.#sequences.push(this.#decode(piece)));
  }

  /** What is still held back when nothing more will come. A carriage return at the very end is dropped. */
  finish(): string {
    const rest = utf8(this.#bytes);
    this.#bytes = new Uint8Array(0);
    const text = this.#normalise(this.#sequences.push(rest) + this.#sequences.finish());
    this.#carriageReturn = false;
    return text;
  }

  get atLineStart(): boolean {
    return this.#atLineStart;
  }

  clone(): ConsoleText {
    const copy = new ConsoleText();
    copy.#bytes = this.#bytes;
    copy.#sequences = this.#sequences.clone();
    copy.#carriageReturn = this.#carriageReturn;
    copy.#atLineStart = this.#atLineStart;
    return copy;
  }

  #decode(piece: Uint8Array): string {
    const bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    const held = incompleteAtEnd(bytes);
    this.#bytes = bytes.slice(bytes.length - held);
    return utf8(bytes.subarray(0, bytes.length - held));
  }

  #normalise(piece: string): string {
    if (piece === '') return '';
    let text = this.#carriageReturn ? `\r${piece}` : piece;
    this.#carriageReturn = false;
    if (text.includes('\r')) {
      if (this.#atLineStart) text = text.replace(/^\r+/, '');
      text = text.replaceAll(/\r*\n\r*/g, '\n').replaceAll(/\r{2,}/g, '\r');
      // Whether it belongs to a line end is told by what follows.
      this.#carriageReturn = text.endsWith('\r');
      if (this.#carriageReturn) text = text.slice(0, -1);
    }
    if (text !== '') this.#atLineStart = text.endsWith('\n');
    return text;
  }
}

function utf8(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isAscii(buffer) ? buffer.toString('latin1') : buffer.toString('utf8');
}

/** Length of an unfinished but so far valid UTF-8 sequence at the end (Unicode standard, table 3-7): 0 to 3. */
function incompleteAtEnd(bytes: Uint8Array): number {
  const most = Math.min(3, bytes.length);
  for (let count = 1; count <= most; count += 1) {
    const lead = bytes[bytes.length - count] ?? 0;
    if ((lead & 0xc0) === 0x80) continue;
    if (sequenceLength(lead) <= count) return 0;
    if (count === 1) return 1;
    return isSecondByte(lead, bytes[bytes.length - count + 1] ?? 0) ? count : 0;
  }
  return 0;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 1;
}

function isSecondByte(lead: number, second: number): boolean {
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second <= 0x9f;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second <= 0x8f;
  return true;
}
