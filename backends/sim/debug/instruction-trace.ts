import { closeSync, openSync, writeSync } from 'node:fs';

import type { PayloadLocator } from '../../../petri/tmk/index.ts';
import type { Guest, GuestDebug } from '../guests/index.ts';

const CHUNK = 256 * 1024;
/** Instructions whose text is kept. */
const MAX_KNOWN = 65_536;

interface KnownLine {
  readonly word: number;
  readonly text: string;
}

/** What a trace needs of its VM. */
export interface TraceOptions {
  /** Path of the file. */
  readonly path: string;
  /** Bytes that the file may have. */
  readonly limit: number;
  readonly locator: PayloadLocator;
  /** Where what goes wrong is reported. */
  readonly log: (message: string) => void;
}

/**
 * A file with a line for each instruction that a payload executes: its number since the start of the boot, its address,
 * its word and where in the program it is, and `!` if it took an exception instead of completing.
 */
export class InstructionTrace {
  readonly #options: TraceOptions;
  readonly #known = new Map<number, KnownLine>();
  #file: number | undefined;
  #lines: string[] = [];
  #buffered = 0;
  #written = 0;
  /** Instructions of this boot that are in the trace. */
  #traced = 0;

  constructor(options: TraceOptions) {
    this.#options = options;
    try {
      this.#file = openSync(options.path, 'w');
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Begins a boot. */
  boot(number: number): void {
    this.#traced = 0;
    this.#add(`# boot ${number}\n`);
  }

  /** Observes a guest that has not run yet; one that is run again from its start adds what is new. */
  observe(guest: Guest): void {
    let debug = guest.debug;
    if (debug === undefined) return;
    debug.cpu.attachDebugger().trace = (pc, count, trapped, retired) => {
      if (this.#file === undefined) return;
      // A payload may have no processor at first.
      if (debug === undefined || debug.vcpus.length === 0) debug = guest.debug;
      for (let index = Math.max(0, this.#traced - retired); index < count; index += 1) {
        this.#add(`${retired + index + 1} ${this.#text(debug, pc + index * 4)}${trapped ? ' !' : ''}\n`);
        // One that did not complete has not been counted.
        if (!trapped) this.#traced = retired + index + 1;
      }
    };
  }

  /** Writes what is left. Idempotent. */
  close(): void {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #text(debug: GuestDebug | undefined, pc: number): string {
    const context = debug?.vcpus[0]?.context;
    const place = context === undefined ? -1 : (debug?.cpu.place(context, pc) ?? -1);
    const word = place < 0 ? 0 : (debug?.cpu.memory.u32[place >>> 2] ?? 0);
    const known = this.#known.get(pc);
    if (known?.word === word) return known.text;
    const { text: where } = this.#options.locator.locate(BigInt.asUintN(64, BigInt(pc)));
    const [address = '', symbol] = where.split(' ');
    const text = `${address} ${word.toString(16).padStart(8, '0')}${symbol === undefined ? '' : ` ${symbol}`}`;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(pc, { word, text });
    return text;
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.#buffered += line.length;
    if (this.#buffered >= CHUNK) this.#flush();
  }

  #flush(): void {
    const text = this.#lines.join('');
    this.#lines = [];
    this.#buffered = 0;
    if (this.#file === undefined || text === '') return;
    try {
      this.#written += writeSync(this.#file, text);
      if (this.#written < this.#options.limit) return;
      writeSync(this.#file, `# the trace ends here: it has reached its limit of ${this.#options.limit} bytes\n`);
      closeSync(this.#file);
      this.#file = undefined;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#file = undefined;
    this.#options.log(`the trace of instructions cannot be written to ${this.#options.path}: ${String(error)}`);
  }
}
