import { Flag, type Environment } from './environment.ts';
import {
  bitLength,
  half,
  infinity,
  invalid,
  isInfinite,
  isZero,
  overflowed,
  propagated,
  unpack,
  withSign,
  zero,
  type Format,
  type Unpacked,
} from './numbers.ts';

/** Estimates of reciprocals and of reciprocal square roots (Arm ARM, J1.3: FPRecipEstimate and so on). */

/** RecipEstimate: the argument is 256 to 511, for 0.5 to 1. */
function reciprocalTable(a: number): number {
  const b = Math.floor(2 ** 19 / (a * 2 + 1));
  return (b + 1) >> 1;
}

/** RecipSqrtEstimate: the argument is 128 to 511, for 0.25 to 1. */
const rootEstimates = Uint16Array.from({ length: 512 }, (_, value) => {
  if (value < 128) return 0;
  const a = value < 256 ? value * 2 + 1 : ((value >> 1) * 2 + 1) * 2;
  let b = 512;
  while (a * (b + 1) * (b + 1) < 2 ** 28) b += 1;
  return (b + 1) >> 1;
});
function rootTable(value: number): number {
  return rootEstimates[value] ?? 0;
}

/** Normalised: the biased exponent, which may be negative, and the 52-bit fraction of a nonzero number. */
function normalised(value: Unpacked, format: Format): { exponent: number; fraction: bigint } {
  const length = bitLength(value.mantissa);
  const fraction = (value.mantissa << BigInt(53 - length)) - (1n << 52n);
  return { exponent: value.exponent + length - 1 + format.bias, fraction };
}

export function reciprocalEstimate(env: Environment, format: Format, bits: bigint): bigint {
  const value = unpack(env, format, bits);
  const nan = propagated(env, format, [value]);
  if (nan !== undefined) return nan;
  const { negative } = value;
  if (isInfinite(value)) return zero(format, negative);
  if (isZero(value)) {
    env.raise(Flag.DZC);
    return infinity(format, negative);
  }
  const { exponent, fraction } = normalised(value, format);
  // Below 2^-(bias + 1) the reciprocal overflows.
  if (exponent < -1) {
    env.raise(Flag.OFC | Flag.IXC);
    return overflowed(format, negative, env.rounding);
  }
  let biased = 2 * format.bias - 1 - exponent;
  if (biased <= 0 && (format === half ? env.flushesHalves : env.flushes)) {
    env.raise(Flag.UFC);
    return zero(format, negative);
  }
  const estimate = BigInt(reciprocalTable(256 + Number(fraction >> 44n)) & 0xff) << 44n;
  let result = estimate;
  if (biased === 0) result = (1n << 51n) | (estimate >> 1n);
  else if (biased === -1) {
    result = (1n << 50n) | (estimate >> 2n);
    biased = 0;
  }
  const kept = result >> BigInt(52 - format.fractionBits);
  return withSign(format, negative, (BigInt(biased) << BigInt(format.fractionBits)) | kept);
}

export function rootEstimate(env: Environment, format: Format, bits: bigint): bigint {
  const value = unpack(env, format, bits);
  const nan = propagated(env, format, [value]);
  if (nan !== undefined) return nan;
  if (isZero(value)) {
    env.raise(Flag.DZC);
    return infinity(format, value.negative);
  }
  if (value.negative) return invalid(env, format);
  if (isInfinite(value)) return 0n;
  const { exponent, fraction } = normalised(value, format);
  const top = Number(fraction >> 44n);
  const even = (exponent & 1) === 0;
  const estimate = BigInt(rootTable(even ? 256 + top : 128 + (top >> 1)) & 0xff);
  const biased = Math.floor((3 * format.bias - 1 - exponent) / 2);
  return (BigInt(biased) << BigInt(format.fractionBits)) | (estimate << BigInt(format.fractionBits - 8));
}

export function reciprocalExponent(env: Environment, format: Format, bits: bigint): bigint {
  const value = unpack(env, format, bits);
  const nan = propagated(env, format, [value]);
  if (nan !== undefined) return nan;
  const ones = (1n << BigInt(format.exponentBits)) - 1n;
  const exponent = (bits >> BigInt(format.fractionBits)) & ones;
  const result = exponent === 0n ? ones - 1n : exponent ^ ones;
  return withSign(format, value.negative, result << BigInt(format.fractionBits));
}

/** URECPE and URSQRTE. */
export function unsignedEstimate(bits: bigint, root: boolean): bigint {
  const value = Number(bits & 0xffff_ffffn);
  if (value < (root ? 0x4000_0000 : 0x8000_0000)) return 0xffff_ffffn;
  return BigInt((root ? rootTable : reciprocalTable)(value >>> 23)) << 23n;
}
