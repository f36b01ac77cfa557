import type { LinearMemory } from './linear-memory.ts';
import { handlerIds } from './tier0/handler-ids.ts';
import { FixedHandler } from './tier0/handlers.ts';
import { Record, RECORD_PAGE_BYTES, RECORDS_PER_PAGE } from './state.ts';

const PAGE = 4096;
/** Pages kept for the process, 20 KiB each: the code of a good many payloads. */
const MAX_PAGES = 256;

interface DecodedPage {
  readonly va: number;
  readonly code: Uint8Array;
  readonly records: Uint8Array;
}

/**
 * Pages as they were decoded once, for the next VM that has the same code at the same address: tests boot the same payload
 * again and again, and decoding it costs more than running it. Records hold nothing of a machine, so they can be handed on.
 */
export class DecodedPages {
  /** By address; the newest last. */
  readonly #pages = new Map<number, DecodedPage[]>();
  #count = 0;

  /** Keeps a page as it is now; what was known of the same code gives way. Its records must be those of tier 0. */
  keep(memory: LinearMemory, va: number, source: number, records: number): void {
    if (this.#count >= MAX_PAGES) this.#clear();
    const others = (this.#pages.get(va) ?? []).filter((page) => !sameBytes(page.code, memory.u8, source));
    this.#count += others.length + 1 - (this.#pages.get(va)?.length ?? 0);
    const code = memory.u8.slice(source, source + PAGE);
    this.#pages.set(va, [...others, { va, code, records: memory.u8.slice(records, records + RECORD_PAGE_BYTES) }]);
  }

  /**
   * Fills in the records of a page whose code is known.
   *
   * @param simdAccess whether instructions that use SIMD&FP registers may run; else they are marked as trapped
   * @returns whether instructions that use SIMD&FP registers are among them, ready to run
   */
  restore(memory: LinearMemory, va: number, source: number, records: number, simdAccess: boolean): boolean {
    const found = this.#pages.get(va)?.find((page) => sameBytes(page.code, memory.u8, source));
    if (found === undefined) return false;
    memory.u8.set(found.records, records);
    let simd = false;
    for (let index = 0; index < RECORDS_PER_PAGE; index += 1) {
      const at = (records + index * Record.Bytes) >> 1;
      const handler = memory.u16[at] ?? FixedHandler.Decode;
      // Whether it is trapped is of the machine that decoded it.
      if (handler === FixedHandler.SimdTrap) memory.u16[at] = FixedHandler.Decode;
      else if (handlerIds.isSimd(handler)) {
        if (simdAccess) simd = true;
        else memory.u16[at] = FixedHandler.SimdTrap;
      }
    }
    return simd;
  }

  #clear(): void {
    this.#pages.clear();
    this.#count = 0;
  }
}

function sameBytes(code: Uint8Array, memory: Uint8Array, at: number): boolean {
  return Buffer.compare(code, memory.subarray(at, at + code.length)) === 0;
}
