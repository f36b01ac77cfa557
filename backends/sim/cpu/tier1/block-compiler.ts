import type { CodeCache, CodePage } from '../code/code-cache.ts';
import { decode } from '../isa/decoder.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { Record, RECORDS_PER_PAGE } from '../layout.ts';
import { isBlock } from '../tier0/handler-ids.ts';
import { FixedHandler, type PlacedFunction } from '../tier0/handlers.ts';
import { HANDLER_TYPE, HandlerLowering } from '../tier0/handler-lowering.ts';
import { ConstantOperands } from '../tier0/operands.ts';
import type { FunctionBody } from '../wasm/encode.ts';

/** Maximum instructions of a block: longer functions gain nothing. */
const MAX_BLOCK = 64;
const MAX_BLOCK_BYTES = 4096;
/** Bytes of code of one pass: bounds the time that a slice spends on compiling. */
const MAX_BYTES_PER_PASS = 16_384;
/** Tier 0 already has a handler for a single instruction. */
const MIN_BLOCK = 2;

interface Block {
  readonly record: number;
  readonly body: FunctionBody;
}

/**
 * Compiles hot code: each run of instructions becomes one function, from the same lowerings as the interpreter's
 * handlers but with constant operands. The function replaces the handler of the run's first record, so both tiers can
 * jump to each other freely, and a jump into the middle of a run reaches tier 0.
 */
export class BlockCompiler {
  readonly #memory: LinearMemory;
  readonly #code: CodeCache;
  readonly #install: (placed: readonly PlacedFunction[]) => void;

  constructor(memory: LinearMemory, code: CodeCache, install: (placed: readonly PlacedFunction[]) => void) {
    this.#memory = memory;
    this.#code = code;
    this.#install = install;
  }

  /**
   * Compiles what can be reached from an address within its page and is not compiled yet.
   *
   * @returns the number of new blocks
   */
  compile(page: CodePage, start: number): number {
    const blocks: Block[] = [];
    const seen = new Set<number>();
    const work = [start];
    let left = MAX_BYTES_PER_PASS;
    for (let pc = work.pop(); pc !== undefined && left > 0; pc = work.pop()) {
      if (pc < page.va || pc >= page.va + RECORDS_PER_PAGE * 4 || seen.has(pc)) continue;
      seen.add(pc);
      const block = this.#build(page, pc, work);
      if (block === undefined) continue;
      blocks.push(block);
      left -= block.body.code.length;
    }
    const ids = blocks.map(({ record }) => this.#code.takeBlockHandler(page, record));
    const placed = blocks.flatMap((block, index) => {
      const id = ids[index];
      return id === undefined ? [] : [{ id, ...block }];
    });
    if (placed.length === 0) return 0;
    this.#install(placed);
    for (const { id, record } of placed) this.#memory.u16[record >> 1] = id;
    return placed.length;
  }

  #build(page: CodePage, start: number, work: number[]): Block | undefined {
    const first = page.records + ((start - page.va) / 4) * Record.Bytes;
    let lowering: HandlerLowering | undefined;
    let count = 0;
    for (let pc = start; pc < page.va + RECORDS_PER_PAGE * 4; pc += 4) {
      const handler = this.#memory.u16[(first + count * Record.Bytes) >> 1] ?? FixedHandler.Decode;
      // What is not decoded, and what leaves to the run loop.
      if (handler <= FixedHandler.Stop && handler !== FixedHandler.CrossPage) break;
      if (isBlock(handler)) {
        if (count === 0) return undefined;
        break;
      }
      const instruction = decode(this.#memory.u32[(page.source + (pc - page.va)) >> 2] ?? 0, pc);
      if (instruction === undefined) break;
      if (count === MAX_BLOCK || (lowering?.code.length ?? 0) > MAX_BLOCK_BYTES) {
        work.push(pc);
        break;
      }
      const { decoded, row } = instruction;
      const operands = new ConstantOperands(decoded, count, pc, page.va);
      if (lowering === undefined) lowering = new HandlerLowering(operands);
      else lowering.follow(operands);
      row.definition.lower(lowering, decoded.variant ?? []);
      count += 1;
      if (decoded.target !== undefined) work.push(decoded.target);
      if (lowering.ended) {
        if (row.definition.flow !== 'never') work.push(pc + 4);
        break;
      }
    }
    if (lowering === undefined || count < MIN_BLOCK) return undefined;
    lowering.finish();
    return {
      record: first,
      body: { type: HANDLER_TYPE, locals: lowering.locals, code: lowering.code },
    };
  }
}
