import { Permission, type Stage2, type Stage2Mapping } from '../../cpu/index.ts';
import type { MemoryRange } from '../../machine/index.ts';

/** Granularity in bytes at which touched memory is recorded. */
const STEP = 65536;

/** Stage 2 of an ordinary VM: RAM, all of it readable, writable and executable; nothing else is mapped. */
export class FlatStage2 implements Stage2, Stage2Mapping {
  offset = -1;
  permissions = 0;
  /** As if RAM were mapped by 2 MiB blocks: a walk that finds nothing ends at level 2. */
  level = 2;
  readonly #base: number;
  readonly #ipaBase: number;
  readonly #bytes: number;
  readonly #touched: Uint8Array;

  /**
   * @param base offset of the RAM in linear memory
   * @param bytes size of the RAM
   * @param ipaBase its first address in the guest
   */
  constructor(base: number, bytes: number, ipaBase: number) {
    this.#base = base;
    this.#ipaBase = ipaBase;
    this.#bytes = bytes;
    this.#touched = new Uint8Array(Math.ceil(bytes / STEP));
  }

  /** @returns this object; valid until the next call */
  translate(ipa: number): Stage2Mapping {
    const at = ipa - this.#ipaBase;
    const inside = at >= 0 && at < this.#bytes;
    if (inside) this.touch(at, 1);
    this.offset = inside ? this.#base + at : -1;
    this.permissions = inside ? Permission.R | Permission.W | Permission.XEl0 | Permission.XEl1 : 0;
    this.level = inside ? 3 : 2;
    return this;
  }

  /** To be called for RAM that is written without translation. @param at offset in bytes from the start of the RAM */
  touch(at: number, bytes: number): void {
    for (let step = Math.floor(at / STEP); step * STEP < at + bytes; step++) this.#touched[step] = 1;
  }

  /** Ranges of linear memory that may have been written. */
  touched(): MemoryRange[] {
    const ranges: MemoryRange[] = [];
    this.#touched.forEach((touched, step) => {
      if (touched === 1) ranges.push({ offset: this.#base + step * STEP, bytes: STEP });
    });
    return ranges;
  }
}
