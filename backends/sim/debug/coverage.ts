import type { ElfFile, LineRange } from '../../../petri/elf/index.ts';
import { harmlessLine } from '../../../petri/text/index.ts';
import type { GuestDebug } from '../guests/index.ts';

const PAGE = 4096;
const INSTRUCTION = 4;
const INSTRUCTIONS_PER_BYTE = 8;

/**
 * Which instructions of a payload were executed, in all boots of a VM. It costs little: an instruction is noticed when
 * it is executed for the first time.
 */
export class GuestCoverage {
  readonly #span: { readonly start: number; readonly end: number };
  /** By page of the program as linked: a bit for each instruction. */
  readonly #executed = new Map<number, Uint8Array>();

  /** @param span addresses of the program as linked; what is executed elsewhere does not count */
  constructor(span: { readonly start: number; readonly end: number }) {
    this.#span = span;
  }

  /** Observes a guest that has not run yet. */
  observe({ cpu, loadOffset }: GuestDebug): void {
    cpu.onFirst((va) => this.#note(va - loadOffset));
  }

  has(address: number): boolean {
    const { at, bit } = place(address);
    return (((this.#executed.get(address - (address % PAGE))?.[at] ?? 0) >>> bit) & 1) === 1;
  }

  /**
   * A tracefile of lcov (geninfo(1)): functions and lines, each with 1 if something of it was executed and 0 if not.
   *
   * @param name of the test
   */
  lcov(elf: ElfFile, name: string): string {
    const functions = functionsByFile(elf);
    const records = [...linesByFile(elf.lines, this)].map(([file, lines]) =>
      this.#record(name, file, lines, functions.get(file) ?? []),
    );
    return records.join('');
  }

  #record(
    name: string,
    file: string,
    lines: ReadonlyMap<number, boolean>,
    functions: readonly CoveredFunction[],
  ): string {
    const hits = functions.map((one) => ({ ...one, hit: this.has(one.address) ? 1 : 0 }));
    const rows = [...lines].sort(([one], [other]) => one - other);
    return [
      `TN:${name.replaceAll(/\W/g, '_')}`,
      `SF:${harmlessLine(file)}`,
      ...hits.map(({ line, symbol }) => `FN:${line},${symbol}`),
      ...hits.map(({ hit, symbol }) => `FNDA:${hit},${symbol}`),
      `FNF:${hits.length}`,
      `FNH:${hits.filter(({ hit }) => hit === 1).length}`,
      ...rows.map(([line, hit]) => `DA:${line},${hit ? 1 : 0}`),
      `LF:${rows.length}`,
      `LH:${rows.filter(([, hit]) => hit).length}`,
      'end_of_record',
      '',
    ].join('\n');
  }

  #note(address: number): void {
    if (!(address >= this.#span.start && address < this.#span.end)) return;
    const page = address - (address % PAGE);
    let bits = this.#executed.get(page);
    if (bits === undefined) {
      bits = new Uint8Array(PAGE / INSTRUCTION / INSTRUCTIONS_PER_BYTE);
      this.#executed.set(page, bits);
    }
    const { at, bit } = place(address);
    bits[at] = (bits[at] ?? 0) | (1 << bit);
  }
}

function place(address: number): { at: number; bit: number } {
  const index = Math.floor((address % PAGE) / INSTRUCTION);
  return { at: index >>> 3, bit: index & 7 };
}

/** The lines of each file that have instructions, and whether one of them was executed. */
function linesByFile(ranges: readonly LineRange[], coverage: GuestCoverage): Map<string, Map<number, boolean>> {
  const files = new Map<string, Map<number, boolean>>();
  for (const { start, end, file, line } of ranges) {
    const lines = files.get(file) ?? new Map<number, boolean>();
    files.set(file, lines);
    if (lines.get(line) === true) continue;
    lines.set(line, executedIn(start, end, coverage));
  }
  return files;
}

function executedIn(start: number, end: number, coverage: GuestCoverage): boolean {
  for (let address = start; address < end; address += INSTRUCTION) if (coverage.has(address)) return true;
  return false;
}

interface CoveredFunction {
  readonly symbol: string;
  readonly address: number;
  readonly line: number;
}

/** The functions that begin where a line does. */
function functionsByFile(elf: ElfFile): Map<string, CoveredFunction[]> {
  const starts = new Map(elf.lines.map((range) => [range.start, range] as const));
  const files = new Map<string, CoveredFunction[]>();
  for (const { name, address, size } of elf.symbols.symbols) {
    const range = size > 0 ? starts.get(address) : undefined;
    if (range === undefined) continue;
    const found = files.get(range.file) ?? [];
    found.push({ symbol: harmlessLine(name), address, line: range.line });
    files.set(range.file, found);
  }
  return files;
}
