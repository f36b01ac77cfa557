import { add, multiply } from './arithmetic.ts';
import { Environment, Flag, Rounding } from './environment.ts';
import { binaryFormat, infinity, signBit, single, type Format } from './numbers.ts';

/** BFloat16 is the upper half of a single. */
export const brain: Format = binaryFormat(2, 8, 7);

/** FPCR.DN and FPCR.FZ. */
const DN_FZ = (1 << 25) | (1 << 24);

/** The fixed modes of BFDOT and BFMMLA (Arm ARM, BFRound of the shared pseudocode): FPCR is ignored. */
class BrainEnvironment extends Environment {
  override readonly rounding = Rounding.Odd;

  constructor() {
    super(DN_FZ);
  }
}

/** An operation in these modes, which raises no flag and overflows to infinity. */
function fixed(operation: typeof add | typeof multiply, a: bigint, b: bigint): bigint {
  const env = new BrainEnvironment();
  const result = operation(env, single, a, b);
  return (env.raised & Flag.OFC) === 0 ? result : infinity(single, (result & signBit(single)) !== 0n);
}

/** BFDotAdd: a single plus the sum of the products of two pairs of BFloat16, each in 32 bits. */
export function dotAdd(addend: bigint, n: bigint, m: bigint): bigint {
  const low = fixed(multiply, widenedBrain(n & 0xffffn), widenedBrain(m & 0xffffn));
  const high = fixed(multiply, widenedBrain(n >> 16n), widenedBrain(m >> 16n));
  return fixed(add, addend, fixed(add, low, high));
}

/** A BFloat16 as a single. */
export function widenedBrain(bits: bigint): bigint {
  return bits << 16n;
}
