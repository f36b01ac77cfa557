/** A record names its handler in 16 bits. */
const MAX_HANDLERS = 65_536;
/** Compiled blocks at once: far more than hot code has, and they leave room for every instruction variant. */
const MAX_BLOCKS = 32_768;

const Kind = { General: 0, Simd: 1, Block: 2 } as const;

/**
 * Places in the handler tables of all machines of the process. They are given out from the bottom: each module that is instantiated
 * takes a copy of its machine's table, so tables are kept as short as they can be.
 */
class HandlerIds {
  readonly #kinds = new Uint8Array(MAX_HANDLERS);
  readonly #free: number[] = [];
  #next = 0;
  #blocks = 0;

  /** A place for an instruction's handler, for good. */
  takeHandler(simd: boolean): number {
    return this.#take(simd ? Kind.Simd : Kind.General);
  }

  /** A place for a compiled block; undefined when there are as many as there may be. */
  takeBlock(): number | undefined {
    if (this.#blocks >= MAX_BLOCKS) return undefined;
    this.#blocks += 1;
    return this.#take(Kind.Block);
  }

  releaseBlocks(ids: readonly number[]): void {
    this.#blocks -= ids.length;
    this.#free.push(...ids);
  }

  /** Whether it is of an instruction that uses SIMD&FP registers. */
  isSimd(id: number): boolean {
    return this.#kinds[id] === Kind.Simd;
  }
  isBlock(id: number): boolean {
    return this.#kinds[id] === Kind.Block;
  }

  #take(kind: number): number {
    const id = this.#free.pop() ?? this.#next++;
    if (id >= MAX_HANDLERS) throw new RangeError('more instruction variants than a record can name');
    this.#kinds[id] = kind;
    return id;
  }
}

export const handlerIds = new HandlerIds();
