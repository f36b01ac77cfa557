import { Permission, type Stage2, type Stage2Mapping } from '../../cpu/index.ts';
import type { MemoryRange, Window } from '../../machine/index.ts';

/** Granularity in bytes at which touched memory is recorded. */
const STEP = 65_536;

/** A range of physical addresses with memory behind it. */
export interface BoardMemory extends Window {
  /** Where it is in linear memory. */
  readonly offset: number;
  /** What stage 2 permits: 0 while a device has to see every access. */
  permissions: number;
}

export const RAM_PERMISSIONS = Permission.R | Permission.W | Permission.XEl0 | Permission.XEl1;
export const FLASH_PERMISSIONS = Permission.R | Permission.XEl0 | Permission.XEl1;

/** @see BoardStage2 */
interface MemoryUse {
  /** @param at offset in bytes from the start of the first memory */
  use(at: number, bytes: number): void;
}

/** What of a board's physical addresses is memory; accesses elsewhere are those of devices. */
export class BoardStage2 implements Stage2, Stage2Mapping {
  offset = -1;
  permissions = 0;
  /** As if memory were mapped by 2 MiB blocks: a walk that finds nothing ends at level 2. */
  level = 2;
  /** Hears of memory before it is used, once for each time that it gets into a TLB. */
  pages: MemoryUse | undefined;
  /** Where all of it is in linear memory, in one piece. */
  readonly span: MemoryRange;
  readonly #memories: readonly BoardMemory[];
  readonly #touched: Uint8Array;

  /** @param memories the most used first, each behind the one before in linear memory */
  constructor(memories: readonly BoardMemory[]) {
    this.#memories = memories;
    this.span = { offset: memories[0]?.offset ?? 0, bytes: memories.reduce((sum, { bytes }) => sum + bytes, 0) };
    this.#touched = new Uint8Array(Math.ceil(this.span.bytes / STEP));
  }

  /** @returns this object; valid until the next call */
  translate(ipa: number): Stage2Mapping {
    const memory = this.#find(ipa);
    if (memory === undefined || memory.permissions === 0) {
      this.offset = -1;
      this.permissions = 0;
      this.level = 2;
      return this;
    }
    this.offset = memory.offset + ipa - memory.base;
    this.permissions = memory.permissions;
    this.level = 3;
    this.touch(this.offset, 1);
    return this;
  }

  /** Where bytes are in linear memory; -1 where not all of them are memory. */
  place(ipa: number, bytes: number): number {
    const memory = this.#find(ipa);
    return memory === undefined || ipa + bytes > memory.base + memory.bytes ? -1 : memory.offset + ipa - memory.base;
  }

  /** To be called before memory is read or written without translation. @param place offset in linear memory */
  touch(place: number, bytes: number): void {
    const at = place - this.span.offset;
    this.pages?.use(at, bytes);
    for (let step = Math.floor(at / STEP); step * STEP < at + bytes; step++) this.#touched[step] = 1;
  }

  /** Ranges of linear memory that may have been written. */
  touched(): MemoryRange[] {
    const ranges: MemoryRange[] = [];
    this.#touched.forEach((touched, step) => {
      if (touched === 1) ranges.push({ offset: this.span.offset + step * STEP, bytes: STEP });
    });
    return ranges;
  }

  #find(ipa: number): BoardMemory | undefined {
    return this.#memories.find(({ base, bytes }) => ipa >= base && ipa < base + bytes);
  }
}
