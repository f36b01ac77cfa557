import { DwarfCursor, DwarfEnd } from './dwarf-cursor.ts';
import { type DwarfStrings, filesBeforeVersion5, filesOfVersion5, type SourceFiles } from './dwarf-files.ts';

/** Instructions that come from one line of a source file. */
export interface LineRange {
  /** Address of the first, as linked. */
  readonly start: number;
  /** Address after the last. */
  readonly end: number;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Units of 64-bit DWARF begin with this. */
const DWARF64 = 0xffff_ffff;
/** Ranges of one program: some hundred times those of a large kernel's would be a file made to fill memory. */
const MAX_RANGES = 4_000_000;

/** Standard and extended opcodes (DWARF 5, 6.2.5). */
const Op = {
  copy: 1,
  advance_pc: 2,
  advance_line: 3,
  set_file: 4,
  const_add_pc: 8,
  fixed_advance_pc: 9,
} as const;
const ExtendedOp = { end_sequence: 1, set_address: 2 } as const;

/** What the header of a line number program says of its opcodes. */
interface Program {
  readonly files: SourceFiles;
  readonly instructionLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Numbers of operands of the standard opcodes, from opcode 1 on. */
  readonly operands: readonly number[];
}

/**
 * The line number information of a program: DWARF 2 to 5, in 32 bits, .debug_line. What cannot be read is left out,
 * unit by unit: this serves reports. VLIW positions do not occur.
 *
 * @returns ranges in the order of the table, none empty
 */
export function readLines(table: Uint8Array, strings: DwarfStrings): LineRange[] {
  const ranges: LineRange[] = [];
  for (let at = 0; at + 4 <= table.length;) {
    const head = new DwarfCursor(table, at);
    const length = head.u32();
    if (length >= DWARF64 - 15) break;
    at = head.at + length;
    try {
      const cursor = new DwarfCursor(table, head.at, at);
      const program = readHeader(cursor, strings);
      if (program !== undefined) runProgram(cursor, program, ranges);
    } catch (error) {
      if (!(error instanceof DwarfEnd)) throw error;
    }
  }
  return ranges;
}

function readHeader(cursor: DwarfCursor, strings: DwarfStrings): Program | undefined {
  const version = cursor.u16();
  if (version < 2 || version > 5) return undefined;
  // address_size and segment_selector_size
  if (version >= 5 && (cursor.u8() !== 8 || cursor.u8() !== 0)) return undefined;
  const headerLength = cursor.u32();
  const start = cursor.at + headerLength;
  const instructionLength = cursor.u8();
  // maximum_operations_per_instruction, then default_is_stmt
  if (version >= 4) cursor.u8();
  cursor.u8();
  const lineBase = cursor.i8();
  const lineRange = cursor.u8();
  const opcodeBase = cursor.u8();
  if (lineRange === 0 || opcodeBase === 0) return undefined;
  const operands = Array.from({ length: opcodeBase - 1 }, () => cursor.u8());
  const files = version >= 5 ? filesOfVersion5(cursor, strings) : filesBeforeVersion5(cursor);
  if (files === undefined) return undefined;
  cursor.at = start;
  return { files, instructionLength, lineBase, lineRange, opcodeBase, operands };
}

/** The registers of the line number state machine that matter here (DWARF 5, 6.2.2). */
class Sequence {
  address = 0;
  file = 1;
  line = 1;
  /** The last row, of which the next address is the end. */
  #open: { readonly start: number; readonly file: number; readonly line: number } | undefined;
  readonly #files: SourceFiles;
  readonly #ranges: LineRange[];

  constructor(files: SourceFiles, ranges: LineRange[]) {
    this.#files = files;
    this.#ranges = ranges;
  }

  /** Appends a row. */
  row(): void {
    this.#close();
    this.#open = { start: this.address, file: this.file, line: this.line };
  }

  end(): void {
    this.#close();
    this.address = 0;
    this.file = this.line = 1;
  }

  #close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined || this.#ranges.length >= MAX_RANGES) return;
    const file = this.#files[open.file];
    // Line 0 is code that no line of the source is to be blamed for.
    if (file === undefined || open.line < 1 || !(open.start < this.address)) return;
    this.#ranges.push({ start: open.start, end: this.address, file, line: open.line });
  }
}

function runProgram(cursor: DwarfCursor, program: Program, ranges: LineRange[]): void {
  const { lineBase, lineRange, opcodeBase, instructionLength, operands } = program;
  const state = new Sequence(program.files, ranges);
  const advance = (operations: number): void => {
    state.address += operations * instructionLength;
  };
  while (!cursor.done) {
    const opcode = cursor.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(Math.floor(adjusted / lineRange));
      state.line += lineBase + (adjusted % lineRange);
      state.row();
      continue;
    }
    switch (opcode) {
      case 0:
        extended(cursor, state);
        break;
      case Op.copy:
        state.row();
        break;
      case Op.advance_pc:
        advance(cursor.uleb());
        break;
      case Op.advance_line:
        state.line += cursor.sleb();
        break;
      case Op.set_file:
        state.file = cursor.uleb();
        break;
      case Op.const_add_pc:
        advance(Math.floor((255 - opcodeBase) / lineRange));
        break;
      case Op.fixed_advance_pc:
        state.address += cursor.u16();
        break;
      default:
        for (let left = operands[opcode - 1] ?? 0; left > 0; left -= 1) cursor.uleb();
    }
  }
}

function extended(cursor: DwarfCursor, state: Sequence): void {
  const length = cursor.uleb();
  if (length === 0) return;
  const next = cursor.at + length;
  const opcode = cursor.u8();
  if (opcode === ExtendedOp.end_sequence) state.end();
  else if (opcode === ExtendedOp.set_address && length === 9) state.address = cursor.u64();
  cursor.skip(Math.max(0, next - cursor.at));
}
