import { writeSync } from 'node:fs';

const COLOURS = ['34', '36', '32', '33', '35'];

/** One source of output. */
export interface Source {
  readonly id: number;
  readonly tag: string;
  readonly colour: string | undefined;
  readonly stripsEscapes: boolean;
}

/**
 * shrinkwrap's output: everything on one stream, each line with the tag of where it came from. Text goes out as it
 * comes in, so a line that is open when somebody else prints is cut by a line end and the other's tag.
 */
export class Multiplexer {
  readonly #width: number;
  #sources = 0;
  #coloured = 0;
  #last: Source | undefined;
  #open = false;

  /** @param width of tags; longer ones are cut */
  constructor(width: number) {
    this.#width = width;
  }

  source(tag: string, options: { readonly colour: boolean; readonly stripsEscapes?: boolean }): Source {
    const colour = options.colour ? COLOURS[this.#coloured++ % COLOURS.length] : undefined;
    return { id: this.#sources++, tag: this.#fit(tag), colour, stripsEscapes: options.stripsEscapes ?? false };
  }

  log(source: Source, data: string): void {
    const text = source.stripsEscapes ? data.replaceAll(/\x1b(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])/g, '') : data;
    if (text === '') return;
    const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    if (this.#open && this.#last?.id === source.id) this.#print(source, lines.shift() ?? '', true);
    else if (this.#open) this.#print(source, '\n', true);
    for (const line of lines) this.#print(source, line, false);
    this.#last = source;
    this.#open = !text.endsWith('\n');
  }

  #fit(tag: string): string {
    const cut = tag.length > this.#width ? `${tag.slice(0, this.#width - 3)}...` : tag;
    return cut === '' ? '' : `[ ${cut.padStart(this.#width)} ] `;
  }

  /** A carriage return goes no further back than the tag. */
  #print({ tag, colour }: Source, line: string, continued: boolean): void {
    const style = (text: string): string => (colour === undefined ? text : `\x1b[${colour}m${text}\x1b[0m`);
    writeOut(`${continued ? '' : style(tag)}${style(line.replaceAll('\r', `\r${tag}`))}`);
  }
}

/** Python flushes after each piece, and waits where the reader is slow. */
export function writeOut(text: string): void {
  let bytes: Uint8Array = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
