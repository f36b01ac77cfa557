import { encodeModule, ValType, type FunctionBody } from '../wasm/encode.ts';
import { i32, localGet, returnCallIndirect } from '../wasm/expr.ts';
import { decode, type TableRow } from '../isa/decoder.ts';
import { Exit } from '../isa/lowering.ts';
import { DRAM_OFFSET, Record } from '../layout.ts';
import { commonInstructions } from './common-instructions.ts';
import { scalarResultType, vectorResultType } from './exact-results.ts';
import { handlerId, handlerNumber, isBlock, MAX_HANDLERS } from './handler-ids.ts';
import { importNames } from './imports.ts';
import { HANDLER_TYPE, HandlerLowering } from './handler-lowering.ts';
import { branchForm, RecordOperands, type BranchForm } from './operands.ts';

/** Handlers of records that are not (or not yet) an instruction. */
export const FixedHandler = {
  /** Not decoded yet. It is zero, which makes cleared records undecoded. */
  Decode: 0,
  CrossPage: 1,
  Undefined: 2,
  SimdTrap: 3,
  /** A breakpoint, or where a single step ends. */
  Stop: 4,
} as const;

const handlerType = { params: [ValType.I32, ValType.I32], results: [ValType.I32] };
const unaryType = { params: [ValType.I32], results: [ValType.I32] };
const exactType = { params: Array<ValType>(6).fill(ValType.I32), results: [ValType.I32] };
const importTypes = {
  slowRead: 0,
  slowWrite: 0,
  slowModify: 0,
  slowZero: 0,
  commitWrite: 1,
  exact: 2,
  isSum: 3,
  isProduct: 3,
  areSums4: 4,
  areProducts4: 4,
  areSums2: 4,
  areProducts2: 4,
} as const;

/**
 * Handlers in a merged part: compiling so many takes a millisecond or two. After merging there are at most twice as
 * many parts as full ones would be, which is fewer than a table may have instances.
 */
const MAX_MERGED = 64;
/** Handlers in a part to which new ones are added by compiling it again. */
const MAX_APPENDED = 24;

/** A function and its place in the handler table. */
export interface PlacedFunction {
  readonly id: number;
  readonly body: FunctionBody;
}

/**
 * A part of the library: handlers that were compiled together, to be instantiated with each machine's memory and table.
 */
export interface LibraryPart {
  readonly module: WebAssembly.Module;
  /** Ids of its handlers, the highest last. */
  readonly ids: readonly number[];
}

/** A module that puts functions into a machine's handler table. */
export function handlerModule(
  placed: readonly PlacedFunction[],
  exported: Readonly<Record<string, FunctionBody>> = {},
): WebAssembly.Module {
  const imports = importNames.map((name) => ({ name, type: importTypes[name] }));
  const first = imports.length + placed.length;
  const bytes = encodeModule({
    types: [handlerType, unaryType, exactType, scalarResultType, vectorResultType],
    functionImports: imports,
    minimumPages: DRAM_OFFSET / 65_536,
    tableSize: placed.reduce((size, { id }) => Math.max(size, id + 1), 0),
    functions: [...placed.map(({ body }) => body), ...Object.values(exported)],
    exports: Object.fromEntries(Object.keys(exported).map((name, index) => [name, first + index])),
    elements: placed.map(({ id }, index) => ({ at: id, functionIndex: imports.length + index })),
  });
  return new WebAssembly.Module(bytes);
}

function build(lower: (code: HandlerLowering) => void, branch?: BranchForm): FunctionBody {
  const lowering = new HandlerLowering(new RecordOperands(branch));
  lower(lowering);
  lowering.finish();
  return { type: HANDLER_TYPE, locals: lowering.locals, code: lowering.code };
}

function leaving(reason: Exit): FunctionBody {
  return build((code) => {
    code.exit(reason);
  });
}

/** Runs a record: how JavaScript enters generated code. */
const enter: FunctionBody = {
  type: HANDLER_TYPE,
  locals: [],
  code: returnCallIndirect(
    HANDLER_TYPE,
    [localGet('i32', 0), localGet('i32', 1)],
    i32.load16U(localGet('i32', 0), Record.Handler),
  ),
};

/** Exports of the first part: `enter`, and the function for every unused place of a table. */
const exportsOfFirstPart = { enter, absent: leaving(Exit.NoHandler) };

/**
 * The interpreter's handlers, generated from the lowerings of instructions when programs first use them and kept for
 * the life of the process. A compiled module does not include memory, so all machines share them; each machine loads
 * the parts that its records need.
 */
export class HandlerLibrary {
  /** The part that every machine loads first. */
  readonly first: LibraryPart;
  readonly #ids = new Map<string, number>();
  /** By number of the handler, as the next two are. */
  readonly #bodies: FunctionBody[] = [];
  readonly #simd: boolean[] = [];
  readonly #movable: boolean[] = [];
  /** The part of each handler. It is shorter than the list of handlers: the rest is not compiled yet. */
  readonly #parts: LibraryPart[] = [];

  constructor() {
    for (const body of [
      leaving(Exit.Decode),
      build((code) => {
        code.crossPage();
      }),
      leaving(Exit.Undefined),
      leaving(Exit.SimdTrap),
      leaving(Exit.Stop),
    ]) {
      this.#add(body, false, true);
    }
    this.#prepare();
    this.first = this.#compile(0, this.#bodies.length, exportsOfFirstPart);
  }

  /** The id of an instruction's handler; a new handler is compiled when `part` is called for it. */
  idOf(row: TableRow, variant: readonly number[], branch: BranchForm | undefined): number {
    const key = `${String(row.index)}:${branch ?? ''}:${variant.join()}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#add(
      build((code) => {
        row.definition.lower(code, variant);
      }, branch),
      row.simd,
      !row.definition.usesPc || branch === 'near',
    );
    this.#ids.set(key, id);
    return id;
  }

  /** Whether the instruction uses SIMD&FP registers. */
  isSimd(id: number): boolean {
    return this.#simd[handlerNumber(id)] === true;
  }

  /** Whether a record that names the handler means the same at every address. No block and no stop does. */
  isMovable(id: number): boolean {
    return !isBlock(id) && id !== FixedHandler.Stop && this.#movable[handlerNumber(id)] === true;
  }

  /** Number of handlers that are not compiled yet. */
  get pending(): number {
    return this.#bodies.length - this.#parts.length;
  }

  /** The part that contains a handler. Compiles pending handlers if it is one of them. */
  part(id: number): LibraryPart {
    const number = handlerNumber(id);
    if (number >= this.#parts.length) this.#compilePending();
    const part = this.#parts[number];
    if (part === undefined) throw new RangeError(`no handler has the id ${String(id)}`);
    return part;
  }

  /**
   * Merges some small parts, since machines that start over load all parts that they need. It does a bounded amount of
   * work, so that it can be called between instructions of a guest.
   */
  merge(): void {
    let run: LibraryPart[] = [];
    let handlers = 0;
    for (const part of new Set(this.#parts.slice(this.first.ids.length))) {
      if (handlers + part.ids.length > MAX_MERGED) {
        if (run.length > 1) break;
        run = [];
        handlers = 0;
      }
      run.push(part);
      handlers += part.ids.length;
    }
    const start = handlerNumber(run[0]?.ids[0] ?? 0);
    if (run.length > 1) this.#compile(start, start + handlers);
  }

  /** Generates the handlers that most programs use. */
  #prepare(): void {
    const PAGE_ADDRESS = 0x8020_0000;
    // Repeated, since the decoder itself is slow until it has decoded a few thousand instructions.
    for (let round = 0; round < 16; round += 1) {
      for (const [word, at] of commonInstructions) {
        const instruction = decode(word, PAGE_ADDRESS + at);
        if (instruction === undefined) continue;
        const { row, decoded } = instruction;
        this.idOf(row, decoded.variant ?? [], branchForm(decoded, PAGE_ADDRESS));
      }
    }
  }

  /**
   * Compiles pending handlers, together with the last part if that is small: loading a part costs the same at any size.
   */
  #compilePending(): void {
    const last = this.#parts.at(-1);
    const appends = last !== this.first && last !== undefined && last.ids.length + this.pending <= MAX_APPENDED;
    this.#compile(this.#parts.length - (appends ? last.ids.length : 0), this.#bodies.length);
  }

  /** Compiles the handlers with numbers in [start, end) as one part. */
  #compile(start: number, end: number, exported: Readonly<Record<string, FunctionBody>> = {}): LibraryPart {
    const placed = this.#bodies.slice(start, end).map((body, index) => ({ id: handlerId(start + index), body }));
    const part = { module: handlerModule(placed, exported), ids: placed.map(({ id }) => id) };
    for (let number = start; number < end; number += 1) this.#parts[number] = part;
    return part;
  }

  #add(body: FunctionBody, simd: boolean, movable: boolean): number {
    const number = this.#bodies.length;
    if (number >= MAX_HANDLERS) throw new RangeError('more instruction variants than a record can name');
    this.#bodies.push(body);
    this.#simd.push(simd);
    this.#movable.push(movable);
    return handlerId(number);
  }
}
