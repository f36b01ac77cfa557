import { ConsoleText } from './console-text.ts';

/** The source of a console's bytes. */
export interface ByteSource {
  /** Number of bytes ever received. */
  readonly size: number;
  /**
   * Bytes from an offset on, as many as are available in one piece; valid until the next call. Empty at the end.
   *
   * @throws PetriError `console-incomplete` if they are lost
   */
  bytesAt(offset: number): Uint8Array;
}

/**
 * A position in a console's stream that advances over clean text. Copies are cheap, so that a search can be abandoned
 * without having moved.
 */
export class TextReader {
  readonly #source: ByteSource;
  #text = new ConsoleText();
  #offset: number;

  constructor(source: ByteSource, offset = 0) {
    this.#source = source;
    this.#offset = offset;
  }

  clone(): TextReader {
    const copy = new TextReader(this.#source, this.#offset);
    copy.#text = this.#text.clone();
    return copy;
  }

  /** The next text, possibly ''; `undefined` if there are no more bytes now. @throws as `bytesAt` does */
  read(): string | undefined {
    if (this.#offset >= this.#source.size) return undefined;
    const bytes = this.#source.bytesAt(this.#offset);
    this.#offset += bytes.length;
    return this.#text.push(bytes);
  }

  /** What was held back because more could have followed, at the end of the stream. */
  finish(): string {
    return this.#text.finish();
  }
}
