import type { LinearMemory } from '../linear-memory.ts';
import { isBlock } from '../tier0/handler-ids.ts';
import { FixedHandler, type HandlerLibrary } from '../tier0/handlers.ts';
import { Record, RECORDS_PER_PAGE } from '../layout.ts';

/** Pages kept for the process, 20 KiB each: the code of a good many payloads. */
const MAX_PAGES = 256;

/** A page of code as it was decoded once. */
export interface DecodedPage {
  readonly code: Uint8Array;
  /** Records of tier 0, as a machine with access to SIMD&FP runs them. */
  readonly records: Uint8Array;
  /** Handlers that they name, each once. */
  readonly handlers: readonly number[];
  /** Instructions that use SIMD&FP registers are among them. */
  readonly simd: boolean;
}

/**
 * Pages as they were decoded once, for the next VM that has the same code at the same address: tests boot the same payload
 * again and again, and decoding it costs more than running it. Records hold nothing of a machine, so they can be handed on.
 */
export class DecodedPages {
  /** By address; the newest last. */
  readonly #pages = new Map<number, DecodedPage[]>();
  #count = 0;

  /**
   * Keeps a page; what was known of the same code gives way.
   *
   * @param code and `records` are its own from now on
   */
  keep(va: number, code: Uint8Array, records: Uint8Array, library: HandlerLibrary): void {
    if (this.#count >= MAX_PAGES) this.#clear();
    const known = this.#pages.get(va) ?? [];
    const others = known.filter((page) => Buffer.compare(page.code, code) !== 0);
    this.#count += others.length + 1 - known.length;
    const handlers = [...handlersOf(records)];
    const simd = handlers.some((handler) => library.isSimd(handler));
    this.#pages.set(va, [...others, { code, records, handlers, simd }]);
  }

  /** The page at an address whose code is what memory has at `source`. */
  find(memory: LinearMemory, va: number, source: number): DecodedPage | undefined {
    return this.#pages.get(va)?.find(({ code }) => {
      return Buffer.compare(code, memory.u8.subarray(source, source + code.length)) === 0;
    });
  }

  #clear(): void {
    this.#pages.clear();
    this.#count = 0;
  }
}

/** The handlers that records name. Clears those that are of one machine only: of blocks, and of what it traps. */
function handlersOf(records: Uint8Array): Set<number> {
  const words = new Uint16Array(records.buffer, records.byteOffset, records.length / 2);
  const handlers = new Set<number>();
  for (let index = 0; index < RECORDS_PER_PAGE; index += 1) {
    const at = (index * Record.Bytes) / 2;
    const handler = words[at] ?? FixedHandler.Decode;
    if (handler === FixedHandler.SimdTrap || isBlock(handler)) {
      records.fill(0, index * Record.Bytes, (index + 1) * Record.Bytes);
    } else handlers.add(handler);
  }
  return handlers;
}
