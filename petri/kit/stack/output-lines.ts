import { StringDecoder } from 'node:string_decoder';

/** Characters of a line that are shown; a tool may never end its line. */
const MAX_LINE = 4096;

/**
 * Splits a tool's output into lines. Each state of a line that is redrawn with a carriage return, as git's progress is,
 * counts as a line.
 */
export class OutputLines {
  readonly #take: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  push(chunk: Buffer): void {
    this.#cut(this.#decoder.write(chunk));
  }

  /** Emits a last line without an end. */
  end(): void {
    this.#cut(this.#decoder.end());
    this.#give(this.#rest);
    this.#rest = '';
  }

  #cut(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = (lines.pop() ?? '').slice(-MAX_LINE);
    for (const line of lines) this.#give(line);
  }

  #give(line: string): void {
    const shown = line.replace(/\r$/, '');
    if (shown.trim() !== '') this.#take(shown.slice(0, MAX_LINE));
  }
}
