import { StringDecoder } from 'node:string_decoder';

/** Characters of a line that are shown; a tool is not trusted to end its lines. */
const MAX_LINE = 4096;

/**
 * Cuts what a tool prints into lines. A line that is redrawn with a carriage return comes again each time, as
 * progress of git does.
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

  /** A last line without an end. */
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
