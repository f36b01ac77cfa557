/**
 * All state that one instruction can read and write, in the layout of harness.c: 8-byte words, then SIMD&FP registers.
 */
export const RegisterFile = {
  X: 0,
  Sp: 248,
  Nzcv: 256,
  Fpcr: 264,
  Fpsr: 272,
  V: 280,
  Bytes: 792,
} as const;

/** One instruction and its initial state. */
export interface Case {
  readonly name: string;
  readonly word: number;
  readonly pc: number;
  readonly registers: Uint8Array;
}

/** The result of executing a case. */
export interface Outcome {
  /** Why it was not executed, or undefined. */
  readonly fault: string | undefined;
  readonly registers: Uint8Array;
  /** The changed bytes of the scratch page; `at` is the offset of the first. */
  readonly changed: { readonly at: number; readonly bytes: Uint8Array };
}

/** Where cases are executed, and the page to which their addresses point. */
export const SLOT_PAGE = 0x50_0000;
export const SCRATCH_PAGE = 0x58_0000;
export const PAGE_BYTES = 4096;

/** Deterministic pseudo-random numbers (xorshift32 with a final multiplication). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e37_79b9) >>> 0 || 1;
    for (let warm = 0; warm < 8; warm += 1) this.word();
  }

  /** 32 bits. */
  word(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return Math.imul(x, 0x2c1b_3c6d) >>> 0;
  }

  below(limit: number): number {
    return Math.floor((this.word() / 0x1_0000_0000) * limit);
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }

  wide(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word());
  }
}
