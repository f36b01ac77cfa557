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
 * Pages as they were decoded once, for the next VM that has the same code at the same address: tests boot the same
 * payload again and again, and decoding it costs more than running it. Records hold nothing of a machine, so they can
 * be handed on.
 */
export class DecodedPages {
  /** By address; the newest last. */
  readonly #pages = new Map<number, DecodedPage[]>();
  #count = 0;

  /**
   * Keeps a page, with what was known of the same code besides: VMs come to different parts of it, and to SIMD&FP with
   * access or without.
   *
   * @param code and `records` are its own from now on
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

function handlersIn(records: Uint8Array): Uint16Array {
  return new Uint16Array(records.buffer, records.byteOffset, records.length / 2);
}

const HALFWORDS = Record.Bytes / 2;

/** Clears records that are of one machine only: of blocks, and of what it traps. */
function clearOwn(records: Uint8Array): void {
  const words = handlersIn(records);
  for (let index = 0; index < RECORDS_PER_PAGE; index += 1) {
    const handler = words[index * HALFWORDS] ?? FixedHandler.Decode;
    if (handler === FixedHandler.SimdTrap || isBlock(handler))
      words.fill(0, index * HALFWORDS, (index + 1) * HALFWORDS);
  }
}

/** Fills records that are not decoded with others of the same code. */
function takeOver(records: Uint8Array, others: Uint8Array): void {
  const [words, more] = [handlersIn(records), handlersIn(others)];
  for (let at = 0; at < RECORDS_PER_PAGE * HALFWORDS; at += HALFWORDS) {
    if (words[at] === FixedHandler.Decode && more[at] !== FixedHandler.Decode) {
      words.set(more.subarray(at, at + HALFWORDS), at);
    }
  }
}

/** The handlers that records name. */
function handlersOf(records: Uint8Array): Set<number> {
  const words = handlersIn(records);
  const handlers = new Set<number>();
  for (let at = 0; at < RECORDS_PER_PAGE * HALFWORDS; at += HALFWORDS) handlers.add(words[at] ?? FixedHandler.Decode);
  return handlers;
}
