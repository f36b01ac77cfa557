import type { LinearMemory } from '../linear-memory.ts';
import { isBlock } from '../tier0/handler-ids.ts';
import { FixedHandler, type HandlerLibrary } from '../tier0/handlers.ts';
import { Record, RECORDS_PER_PAGE } from '../layout.ts';

/** Pages kept for the process, 20 KiB each: the code of dozens of payloads. */
const MAX_PAGES = 256;

/** A decoded page of code. */
export interface DecodedPage {
  readonly code: Uint8Array;
  /** Records of tier 0, decoded with access to SIMD&FP. */
  readonly records: Uint8Array;
  /** Handlers that the records name, without duplicates. */
  readonly handlers: readonly number[];
  /** Whether any of the instructions uses SIMD&FP registers. */
  readonly simd: boolean;
}

/**
 * Decoded pages, kept for the next VM that has the same code at the same address: tests boot the same payload again and
 * again, and decoding it costs more than running it. Records contain nothing that is specific to a machine, so machines
 * can share them.
 */
export class DecodedPages {
  /** By address; the newest last. */
  readonly #pages = new Map<number, DecodedPage[]>();
  #count = 0;

  /**
   * Keeps a page, merged with what is known of the same code: VMs reach different parts of it, with or without access
   * to SIMD&FP.
   *
   * @param code owned by this object from now on, as is `records`
   */
  keep(va: number, code: Uint8Array, records: Uint8Array, library: HandlerLibrary): void {
    if (this.#count >= MAX_PAGES) this.#clear();
    const known = this.#pages.get(va) ?? [];
    const others = known.filter((page) => Buffer.compare(page.code, code) !== 0);
    this.#count += others.length + 1 - known.length;
    clearOwn(records);
    const before = known.find((page) => !others.includes(page));
    if (before !== undefined) takeOver(records, before.records);
    const handlers = [...handlersOf(records)];
    const simd = handlers.some((handler) => library.isSimd(handler));
    this.#pages.set(va, [...others, { code, records, handlers, simd }]);
  }

  /** The page at an address, if its code equals the memory at `source`. */
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

function handlersIn(records: Uint8Array): Uint16Array {
  return new Uint16Array(records.buffer, records.byteOffset, records.length / 2);
}

const HALFWORDS = Record.Bytes / 2;

/** Clears records that are specific to a machine: those of blocks, of trapped instructions and of breakpoints. */
function clearOwn(records: Uint8Array): void {
  const words = handlersIn(records);
  for (let index = 0; index < RECORDS_PER_PAGE; index += 1) {
    const handler = words[index * HALFWORDS] ?? FixedHandler.Decode;
    if (handler === FixedHandler.SimdTrap || handler === FixedHandler.Stop || isBlock(handler))
      words.fill(0, index * HALFWORDS, (index + 1) * HALFWORDS);
  }
}

/** Fills records that are not decoded from others of the same code. */
function takeOver(records: Uint8Array, others: Uint8Array): void {
  const [words, more] = [handlersIn(records), handlersIn(others)];
  for (let at = 0; at < RECORDS_PER_PAGE * HALFWORDS; at += HALFWORDS) {
    if (words[at] === FixedHandler.Decode && more[at] !== FixedHandler.Decode) {
      words.set(more.subarray(at, at + HALFWORDS), at);
    }
  }
}

/** Handlers that the records name. */
function handlersOf(records: Uint8Array): Set<number> {
  const words = handlersIn(records);
  const handlers = new Set<number>();
  for (let at = 0; at < RECORDS_PER_PAGE * HALFWORDS; at += HALFWORDS) handlers.add(words[at] ?? FixedHandler.Decode);
  return handlers;
}
