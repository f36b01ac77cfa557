import { isAscii } from 'node:buffer';
import { WholeSequences } from './control-sequences.ts';
import { RenderedText } from './rendered-text.ts';

/**
 * Converts a console's bytes to the text that a person sees: UTF-8 with U+FFFD for invalid bytes, without invisible
 * controls, and with line ends as `\n`. Each state of a line that is redrawn (by a carriage return, backspaces or
 * cursor movements) is a line of its own. The joined text does not depend on how the bytes are split.
 */
export class ConsoleText {
  #bytes: Uint8Array = new Uint8Array(0);
  #sequences = new WholeSequences();
  #rendered = new RenderedText();

  push(piece: Uint8Array): string {
    return this.#rendered.write(this.#sequences.push(this.#decode(piece)));
  }

  /** What is still held back at the end of the stream. A carriage return at the very end is dropped. */
  finish(): string {
    const rest = utf8(this.#bytes);
    this.#bytes = new Uint8Array(0);
    return (
      this.#rendered.write(this.#sequences.push(rest)) +
      this.#rendered.write(this.#sequences.finish()) +
      this.#rendered.finish()
    );
  }

  clone(): ConsoleText {
    const copy = new ConsoleText();
    copy.#bytes = this.#bytes;
    copy.#sequences = this.#sequences.clone();
    copy.#rendered = this.#rendered.clone();
    return copy;
  }

  #decode(piece: Uint8Array): string {
    const bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    const held = incompleteAtEnd(bytes);
    this.#bytes = bytes.slice(bytes.length - held);
    return utf8(bytes.subarray(0, bytes.length - held));
  }
}

function utf8(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isAscii(buffer) ? buffer.toString('latin1') : buffer.toString('utf8');
}

/** Length of an unfinished, so far valid UTF-8 sequence at the end (Unicode standard, table 3-7): 0 to 3. */
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
