import { encodeModule, ValType, type FunctionBody } from '../wasm/encode.ts';
import { i32, localGet, returnCallIndirect } from '../wasm/expr.ts';
import { decode, type TableRow } from '../isa/decoder.ts';
import { Exit } from '../isa/lowering.ts';
import { DRAM_OFFSET, Record } from '../state.ts';
import { commonInstructions } from './common-instructions.ts';
import { handlerIds } from './handler-ids.ts';
import { importNames } from './imports.ts';
import { HANDLER_TYPE, HandlerLowering } from './lowering.ts';
import { branchForm, RecordOperands, type BranchForm } from './operands.ts';

/** Handlers that no instruction has: what a record means before, after or instead of being decoded. */
export const FixedHandler = {
  /** Not decoded yet; zero, so that cleared records are this. */
  Decode: 0,
  CrossPage: 1,
  Undefined: 2,
  SimdTrap: 3,
} as const;

const handlerType = { params: [ValType.I32, ValType.I32], results: [ValType.I32] };
const unaryType = { params: [ValType.I32], results: [ValType.I32] };
const importTypes = { slowRead: 0, slowWrite: 0, slowModify: 0, commitWrite: 1, helper: 0 } as const;

/** A compiled batch of handlers, to be instantiated on each machine's memory and table. */
export interface HandlerModule {
  readonly module: WebAssembly.Module;
  /** Entries that the table must have. */
  readonly tableSize: number;
}

/** A part of the library. The part that begins with the first handler exports `enter`. */
export interface LibraryModule extends HandlerModule {
  /** Number of handlers of the library up to and with its last. */
  readonly end: number;
}

/** A module that puts functions into a machine's handler table. @param exported one more, exported as `enter` */
export function handlerModule(
  placed: readonly { readonly id: number; readonly body: FunctionBody }[],
  exported?: FunctionBody,
): HandlerModule {
  const bodies = placed.map(({ body }) => body);
  const imports = importNames.map((name) => ({ name, type: importTypes[name] }));
  const tableSize = placed.reduce((size, { id }) => Math.max(size, id + 1), 0);
  const bytes = encodeModule({
    types: [handlerType, unaryType],
    functionImports: imports,
    minimumPages: DRAM_OFFSET / 65_536,
    tableSize,
    functions: exported === undefined ? bodies : [...bodies, exported],
    exports: exported === undefined ? {} : { enter: imports.length + bodies.length },
    elements: placed.map(({ id }, index) => ({ at: id, functionIndex: imports.length + index })),
  });
  return { module: new WebAssembly.Module(bytes), tableSize };
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

/** Runs the record that it is given: the door from JavaScript into generated code. */
const enter: FunctionBody = {
  type: HANDLER_TYPE,
  locals: [],
  code: returnCallIndirect(
    HANDLER_TYPE,
    [localGet('i32', 0), localGet('i32', 1)],
    i32.load16U(localGet('i32', 0), Record.Handler),
  ),
};

/**
 * The interpreter's handlers, generated from the instructions' lowerings as programs first use them and kept for the life of
 * the process. Memory is not part of a compiled module, so all machines share them.
 */
export class HandlerLibrary {
  readonly #ids = new Map<string, number>();
  readonly #handlers: { readonly id: number; readonly body: FunctionBody }[] = [];
  #modules: LibraryModule[] = [];
  #compiled = 0;

  constructor() {
    for (const body of [
      leaving(Exit.Decode),
      build((code) => {
        code.crossPage();
      }),
      leaving(Exit.Undefined),
      leaving(Exit.SimdTrap),
    ]) {
      this.#add(body, false);
    }
  }

  /** The handler of an instruction; new ones exist after the next `flush`. */
  idOf(row: TableRow, variant: readonly number[], branch: BranchForm | undefined): number {
    const key = `${String(row.index)}:${branch ?? ''}:${variant.join()}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#add(
      build((code) => {
        row.definition.lower(code, variant);
      }, branch),
      row.simd,
    );
    this.#ids.set(key, id);
    return id;
  }

  /** Makes the handlers that most programs use; they are compiled with the next `flush`. */
  prepare(): void {
    const PAGE_ADDRESS = 0x8020_0000;
    // More than once, since the decoder itself is slow until it has decoded a few thousand instructions.
    for (let round = 0; round < 16; round += 1) {
      for (const [word, at] of commonInstructions) {
        const instruction = decode(word, BigInt(PAGE_ADDRESS + at));
        if (instruction === undefined) continue;
        const { row, decoded } = instruction;
        this.idOf(row, decoded.variant ?? [], branchForm(decoded, PAGE_ADDRESS));
      }
    }
  }

  /** Handlers that were asked for since the last `flush`. */
  get pending(): number {
    return this.#handlers.length - this.#compiled;
  }

  #add(body: FunctionBody, simd: boolean): number {
    const id = handlerIds.takeHandler(simd);
    this.#handlers.push({ id, body });
    return id;
  }

  /** Compiles what is pending; returns the modules that have handlers from a number on, oldest first. */
  flush(from: number): readonly LibraryModule[] {
    if (this.pending > 0) this.#compile(this.#compiled);
    return this.#modules.filter(({ end }) => end > from);
  }

  /** Puts all handlers into one module, for machines that start over: many small ones cost them much. */
  consolidate(): void {
    if (this.#modules.length <= 1 && this.pending === 0) return;
    this.#modules = [];
    this.#compile(0);
  }

  #compile(from: number): void {
    const compiled = handlerModule(this.#handlers.slice(from), from === 0 ? enter : undefined);
    this.#compiled = this.#handlers.length;
    this.#modules.push({ ...compiled, end: this.#compiled });
  }
}
