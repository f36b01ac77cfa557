import type { LinearMemory } from '../linear-memory.ts';
import { Cost, type Effort } from '../effort.ts';
import type { ExactUnit } from '../float/exact-unit.ts';
import { blockId, MAX_BLOCKS } from './handler-ids.ts';
import { handlerModule, type HandlerLibrary, type LibraryPart, type PlacedFunction } from './handlers.ts';
import { exactResults } from './exact-results.ts';

export type ImportFunctions = Readonly<
  Record<
    'slowRead' | 'slowWrite' | 'slowModify' | 'slowZero' | 'commitWrite',
    (first: number, second: number) => number
  >
> & { readonly exact: ExactUnit };

type Enter = (record: number, limit: number) => number;

/** Enough for an ordinary payload; doubled as needed. */
const FIRST_SIZE = 1024;
/** Instances on one table; each has a copy of it. */
const MAX_INSTANCES = 256;
/** Limits the time of one `load`: instantiating a part takes a fraction of a millisecond. */
const PARTS_PER_LOAD = 4;
/** With more instances, a table is replaced instead of grown, which takes a millisecond for every two instances. */
const MAX_INSTANCES_TO_GROW = 4;

/**
 * The functions that a machine's records name. Each place holds the handler with that id, one of the machine's blocks,
 * or a function that exits with `Exit.NoHandler`: nothing else can run, whatever other machines do.
 */
export class HandlerTable {
  readonly library: HandlerLibrary;
  /** Number of handlers that are wanted and not loaded; generated code may only be entered at zero. */
  missing = 0;
  readonly #memory: LinearMemory;
  #imports: ImportFunctions | undefined;
  readonly #effort: Effort;
  #table!: WebAssembly.Table;
  #enter!: Enter;
  #absent: unknown;
  /** By id: whether the handler is in the table. */
  #present!: Uint8Array;
  /** Handlers that records name and that are not in the table yet. */
  readonly #wanted = new Set<number>();
  #freeBlocks: number[] = [];
  #blocks = 0;
  #instances = 0;
  #size = FIRST_SIZE;

  constructor(memory: LinearMemory, library: HandlerLibrary, effort: Effort) {
    this.library = library;
    this.#memory = memory;
    this.#effort = effort;
  }

  /** Makes the table. @param imports functions that generated code calls */
  connect(imports: ImportFunctions): void {
    this.#imports = imports;
    this.replace();
  }

  /**
   * Starts over with a new table, without blocks and instances.
   *
   * @param named whether records may still name handlers, which are wanted then; none may name a block
   */
  replace(named = false): void {
    this.#effort.spent += Cost.Table;
    const before = named ? this.#present : undefined;
    const wanted = named ? [...this.#wanted] : [];
    this.#table = new WebAssembly.Table({ element: 'anyfunc', initial: this.#size });
    this.#present = new Uint8Array(this.#size);
    this.#wanted.clear();
    this.missing = 0;
    this.#freeBlocks = [];
    this.#blocks = 0;
    this.#instances = 0;
    const { exports } = this.#load(this.library.first);
    // Safe: the first part exports both, with the type of handlers.
    this.#enter = exports['enter'] as Enter;
    this.#absent = exports['absent'];
    this.#fill(0);
    before?.forEach((present, id) => {
      if (present === 1) this.want(id);
    });
    for (const id of wanted) this.want(id);
  }

  /** Whether the table must be replaced before anything can be added. */
  get worn(): boolean {
    return this.#instances >= MAX_INSTANCES || this.#size > this.#table.length;
  }

  get blocks(): number {
    return this.#blocks - this.#freeBlocks.length;
  }

  /** To be called for each handler that a new record names. */
  want(id: number): void {
    if (this.#present[id] === 1) return;
    this.#wanted.add(id);
    this.missing = this.#wanted.size;
  }

  /** Loads some of the wanted handlers. The table may be worn afterwards. */
  load(): void {
    let parts = 0;
    for (const id of this.#wanted) {
      if (this.#present[id] !== 1) {
        if (parts === PARTS_PER_LOAD) return;
        const part = this.library.part(id);
        if (!this.#makeRoom(part.ids.at(-1) ?? 0)) return;
        this.#load(part);
        parts += 1;
      }
      this.#wanted.delete(id);
      this.missing = this.#wanted.size;
    }
  }

  /** Takes a free place for a block; undefined if there is none. */
  takeBlock(): number | undefined {
    const free = this.#freeBlocks.pop();
    if (free !== undefined) return free;
    if (this.#blocks >= MAX_BLOCKS || !this.#makeRoom(blockId(this.#blocks))) return undefined;
    return blockId(this.#blocks++);
  }

  placeBlocks(placed: readonly PlacedFunction[]): void {
    this.#effort.spent += Cost.Block * placed.length;
    this.#instantiate(handlerModule(placed));
  }

  /** Removes blocks from the table. No record may name them any more. */
  releaseBlocks(ids: readonly number[]): void {
    for (const id of ids) {
      this.#table.set(id, this.#absent);
      this.#freeBlocks.push(id);
    }
  }

  /** Runs code from a record on. @returns a value of `Exit` */
  enter(record: number, limit: number): number {
    return this.#enter(record, limit);
  }

  #load(part: LibraryPart): WebAssembly.Instance {
    const instance = this.#instantiate(part.module);
    for (const id of part.ids) this.#present[id] = 1;
    return instance;
  }

  #instantiate(module: WebAssembly.Module): WebAssembly.Instance {
    this.#instances += 1;
    this.#effort.spent += Cost.Module;
    return new WebAssembly.Instance(module, {
      env: { memory: this.#memory.memory, table: this.#table, ...exactResults, ...this.#imports },
    });
  }

  /** @returns false if the table must be replaced first; the new one is then long enough */
  #makeRoom(id: number): boolean {
    while (id >= this.#size) this.#size *= 2;
    const { length } = this.#table;
    if (this.#size === length) return true;
    if (this.#instances > MAX_INSTANCES_TO_GROW) return false;
    this.#table.grow(this.#size - length);
    const present = new Uint8Array(this.#size);
    present.set(this.#present);
    this.#present = present;
    this.#fill(length);
    return true;
  }

  #fill(from: number): void {
    for (let id = from; id < this.#table.length; id += 1) {
      if (this.#present[id] !== 1) this.#table.set(id, this.#absent);
    }
  }
}
