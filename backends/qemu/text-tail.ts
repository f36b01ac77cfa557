import type { Readable } from 'node:stream';

const LIMIT = 4096;

/** The last characters of some streams' output, for messages. */
export class TextTail {
  #text = '';

  follow(stream: Readable): void {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      this.#text = (this.#text + text).slice(-LIMIT);
    });
    // The process reports how it ended.
    stream.on('error', () => undefined);
  }

  get text(): string {
    return this.#text.trim();
  }
}
