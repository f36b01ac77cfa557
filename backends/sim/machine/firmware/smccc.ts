/** X1 to X3 of a call; of an SMC32 call their low halves. */
export type SmcArguments = readonly [first: bigint, second: bigint, third: bigint];

export const SUCCESS = 0n;
export const NOT_SUPPORTED = -1n;

/** Fields of a function identifier (Arm DEN0028, 2.5). */
const FAST = 0x8000_0000;
const FAST_64 = 0x4000_0000;
const OWNER_MASK = 0x3f00_0000;
/** Of SMCCC 1.3: a hint that live SVE state need not be kept. */
const SVE_HINT = 1 << 16;
const Owner = { Arch: 0, StandardSecure: 0x0400_0000 } as const;

export function isFast64(id: number): boolean {
  return (id & FAST_64) !== 0;
}

/** A function identifier without its hint, unsigned. */
export function withoutHint(id: number): number {
  return ((id & FAST) === 0 ? id : id & ~SVE_HINT) >>> 0;
}

/** Which service a fast call is for. */
export function serviceOf(id: number): 'arch' | 'psci' | 'trng' | undefined {
  if ((id & FAST) === 0) return undefined;
  const owner = id & OWNER_MASK;
  const number = id & 0xff_ffff;
  if (owner === Owner.Arch) return 'arch';
  if (owner !== Owner.StandardSecure) return undefined;
  if (number < 0x20) return 'psci';
  return number >= 0x50 && number < 0x60 ? 'trng' : undefined;
}

const SMCCC_1_2 = 0x1_0002n;
/** The PE does not need a workaround, though the call can be made. */
const NOT_NEEDED = 1n;
const NOT_REQUIRED = -2n;

/** Arm Architecture Calls (DEN0028, chapter 7). */
export const Arch = {
  VERSION: 0x8000_0000,
  FEATURES: 0x8000_0001,
  WORKAROUND_3: 0x8000_3fff,
  WORKAROUND_2: 0x8000_7fff,
  WORKAROUND_1: 0x8000_8000,
} as const;

/** @returns X0 of an Arm Architecture Call, or undefined if there is no such function */
export function archCall(id: number, first: bigint, hasFunction: (id: number) => boolean): bigint | undefined {
  switch (id) {
    case Arch.VERSION:
      return SMCCC_1_2;
    case Arch.FEATURES: {
      const asked = Number(first & 0xffff_ffffn);
      // A simulated PE does not speculate.
      if (asked === Arch.WORKAROUND_1 || asked === Arch.WORKAROUND_3) return NOT_NEEDED;
      if (asked === Arch.WORKAROUND_2) return NOT_REQUIRED;
      return serviceOf(asked) === 'arch' && hasFunction(asked) ? SUCCESS : NOT_SUPPORTED;
    }
    case Arch.WORKAROUND_1:
    case Arch.WORKAROUND_3:
      return SUCCESS;
    default:
      return undefined;
  }
}
