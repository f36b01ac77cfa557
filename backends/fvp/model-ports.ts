import { stripVTControlCharacters } from 'node:util';

/** Bytes of a line of the model that are searched. */
const MAX_LINE = 4096;

/**
 * How the model reports the port of a UART, in three generations: alone, after `Info: <model>: `, and by the
 * `terminal_command` that newer versions of shrinkwrap set. shrinkwrap prefixes each with its tag.
 */
const PORT = /(?:^|[\s:\]])(?:bp\.)?terminal_(\d): (?:Listening for serial connection on port|port) (\d{1,5})\s*$/;

export interface ModelPort {
  readonly uart: number;
  readonly port: number;
}

/** Finds the ports of the UARTs in the model's output, the only source: it takes the next free ones. */
export class PortFinder {
  readonly #found = new Set<number>();
  readonly #onPort: (port: ModelPort) => void;
  #line = '';

  constructor(onPort: (port: ModelPort) => void) {
    this.#onPort = onPort;
  }

  push(bytes: Uint8Array): void {
    const lines = (this.#line + Buffer.from(bytes).toString('latin1')).split(/[\r\n]/);
    this.#line = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) this.#look(line);
  }

  #look(line: string): void {
    const [, uart, port] = PORT.exec(stripVTControlCharacters(line.slice(0, MAX_LINE))) ?? [];
    if (uart === undefined || port === undefined) return;
    const found = { uart: Number(uart), port: Number(port) };
    if (found.port < 1 || found.port > 65_535 || this.#found.has(found.uart)) return;
    this.#found.add(found.uart);
    this.#onPort(found);
  }
}
