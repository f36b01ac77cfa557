import { ConsoleText } from './console-text.ts';

/** Where a reader gets a console's bytes from. */
export interface ByteSource {
  /** Bytes ever received. */
  readonly size: number;
  /**
   * Bytes from an offset on, as many as are at hand; valid until the next call. Empty at the end.
   *
   * @throws PetriError `console-incomplete` where they are lost
   */
  bytesAt(offset: number): Uint8Array;
}

/**
 * A place in a console's stream, moving forward over clean text. Copies are cheap, so that a search can be given up
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

  /** Some text that follows, possibly ''; `undefined` when there are no more bytes now. @throws as `bytesAt` does */
  read(): string | undefined {
    if (this.#offset >= this.#source.size) return undefined;
    const bytes = this.#source.bytesAt(this.#offset);
    this.#offset += bytes.length;
    return this.#text.push(bytes);
  }

  /** What was held back because more could have followed, once nothing more will come. */
  finish(): string {
    return this.#text.finish();
  }
}
