import type { Stateful } from '../device.ts';
import { isFast64, NOT_SUPPORTED, SUCCESS } from './smccc.ts';

/** Functions of the TRNG Firmware Interface (Arm DEN0098), by the number in bits 15:0 of their identifier. */
const Trng = { VERSION: 0x50, FEATURES: 0x51, GET_UUID: 0x52, RND: 0x53 } as const;
const functions: readonly number[] = Object.values(Trng);

const TRNG_1_0 = 0x1_0000n;
const INVALID_PARAMETERS = -2n;
/** 2b49bc51-9c95-4b18-8a53-ecf5a2a6a4f1, four words, the first bytes in the low bits of the first. */
const UUID = [0x51bc_492bn, 0x184b_959cn, 0xf5ec_538an, 0xf1a4_a6a2n] as const;
const WORD = 0xffff_ffff_ffff_ffffn;

/**
 * Random numbers for guests, the same in every run: a SplitMix64 sequence (Steele, Lea, Flood, 2014) from a seed.
 * Nothing that it returns is secret.
 */
export class RandomNumbers implements Stateful<bigint> {
  #state: bigint;

  /** @param seed 64 bits */
  constructor(seed: bigint) {
    this.#state = seed;
  }

  /** Whether a function is implemented. @param id of the TRNG range */
  has(id: number): boolean {
    const number = id & 0xffff;
    return functions.includes(number) && (!isFast64(id) || number === Trng.RND);
  }

  /** @param id a function that `has` accepts @returns X0, X1 and so on, as far as the call sets them */
  call(id: number, first: bigint): readonly bigint[] {
    switch (id & 0xffff) {
      case Trng.VERSION:
        return [TRNG_1_0];
      case Trng.FEATURES:
        return [isTrng(first) && this.has(Number(first)) ? SUCCESS : NOT_SUPPORTED];
      case Trng.GET_UUID:
        return UUID;
      default:
        return this.#random(first, isFast64(id) ? 64 : 32);
    }
  }

  save(): bigint {
    return this.#state;
  }
  restore(state: bigint): void {
    this.#state = state;
  }

  /** Entropy is in X3, then in X2 and X1; bits beyond those that were asked for are zero. */
  #random(bits: bigint, width: 32 | 64): readonly bigint[] {
    if (bits === 0n || bits > BigInt(3 * width)) return [INVALID_PARAMETERS, 0n, 0n, 0n];
    const registers = [0, 1, 2].map((n) => {
      const left = Math.max(0, Math.min(width, Number(bits) - n * width));
      return left === 0 ? 0n : BigInt.asUintN(left, this.#next());
    });
    return [SUCCESS, ...registers.reverse()];
  }

  #next(): bigint {
    this.#state = (this.#state + 0x9e37_79b9_7f4a_7c15n) & WORD;
    let z = this.#state;
    z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & WORD;
    z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & WORD;
    return z ^ (z >> 31n);
  }
}

function isTrng(id: bigint): boolean {
  return (id & 0xbfff_fff0n) === 0x8400_0050n;
}
