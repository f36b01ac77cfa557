import { Flag, Rounding, type Environment } from './environment.ts';
import {
  bitLength,
  infinity,
  invalid,
  isInfinite,
  isNan,
  isZero,
  propagated,
  round,
  signBit,
  unpack,
  withSign,
  zero,
  type Format,
  type Unpacked,
} from './numbers.ts';

/** Arithmetic and comparisons on encodings, exact and rounded once (Arm ARM, J1.3: FPAdd, FPMul and so on). */

export function negated(format: Format, bits: bigint): bigint {
  return bits ^ signBit(format);
}

export function absolute(format: Format, bits: bigint): bigint {
  return bits & (signBit(format) - 1n);
}

/** The sum of finite numbers, exact. */
function exactSum(a: Unpacked, b: Unpacked): { negative: boolean; mantissa: bigint; exponent: number } {
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (value: Unpacked): bigint => {
    const mantissa = value.mantissa << BigInt(value.exponent - exponent);
    return value.negative ? -mantissa : mantissa;
  };
  const sum = scaled(a) + scaled(b);
  return { negative: sum < 0n, mantissa: sum < 0n ? -sum : sum, exponent };
}

/** The sum of numbers that are not NaN. */
function sum(env: Environment, format: Format, a: Unpacked, b: Unpacked): bigint {
  if (isInfinite(a) && isInfinite(b) && a.negative !== b.negative) return invalid(env, format);
  if (isInfinite(a)) return infinity(format, a.negative);
  if (isInfinite(b)) return infinity(format, b.negative);
  if (isZero(a) && isZero(b) && a.negative === b.negative) return zero(format, a.negative);
  const { negative, mantissa, exponent } = exactSum(a, b);
  if (mantissa === 0n) return zero(format, env.rounding === Rounding.Down);
  return round(env, format, negative, mantissa, exponent);
}

export function add(env: Environment, format: Format, a: bigint, b: bigint): bigint {
  const [first, second] = [unpack(env, format, a), unpack(env, format, b)];
  return propagated(env, format, [first, second]) ?? sum(env, format, first, second);
}

export function subtract(env: Environment, format: Format, a: bigint, b: bigint): bigint {
  const [first, second] = [unpack(env, format, a), unpack(env, format, b)];
  const nan = propagated(env, format, [first, second]);
  return nan ?? sum(env, format, first, { ...second, negative: !second.negative });
}

/** @param extended FPMulX: zero times infinity is two */
export function multiply(env: Environment, format: Format, a: bigint, b: bigint, extended = false): bigint {
  const [first, second] = [unpack(env, format, a), unpack(env, format, b)];
  const nan = propagated(env, format, [first, second]);
  if (nan !== undefined) return nan;
  const negative = first.negative !== second.negative;
  if (isInfinite(first) || isInfinite(second)) {
    if (!isZero(first) && !isZero(second)) return infinity(format, negative);
    return extended ? round(env, format, negative, 2n, 0) : invalid(env, format);
  }
  return round(env, format, negative, first.mantissa * second.mantissa, first.exponent + second.exponent);
}

/** A bit below the last one says whether anything was cut off; there are more than enough bits above it to round. */
function withSticky(quotient: bigint, exact: boolean): bigint {
  return (quotient << 1n) | (exact ? 0n : 1n);
}

export function divide(env: Environment, format: Format, a: bigint, b: bigint): bigint {
  const [first, second] = [unpack(env, format, a), unpack(env, format, b)];
  const nan = propagated(env, format, [first, second]);
  if (nan !== undefined) return nan;
  if ((isInfinite(first) && isInfinite(second)) || (isZero(first) && isZero(second))) return invalid(env, format);
  const negative = first.negative !== second.negative;
  if (isInfinite(first) || isZero(second)) {
    if (!isInfinite(first)) env.raise(Flag.DZC);
    return infinity(format, negative);
  }
  if (isZero(first) || isInfinite(second)) return zero(format, negative);
  const shift = format.fractionBits * 2 + 4;
  const dividend = first.mantissa << BigInt(shift);
  const quotient = dividend / second.mantissa;
  const exact = quotient * second.mantissa === dividend;
  return round(env, format, negative, withSticky(quotient, exact), first.exponent - second.exponent - shift - 1);
}

/** The integer square root (Newton). */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export function squareRoot(env: Environment, format: Format, bits: bigint): bigint {
  const value = unpack(env, format, bits);
  const nan = propagated(env, format, [value]);
  if (nan !== undefined) return nan;
  if (isZero(value)) return value.bits;
  if (value.negative) return invalid(env, format);
  if (isInfinite(value)) return value.bits;
  const least = format.fractionBits * 2 + 6;
  const shift = least + ((value.exponent - least) & 1);
  const scaled = value.mantissa << BigInt(shift);
  const root = integerRoot(scaled);
  return round(env, format, false, withSticky(root, root * root === scaled), (value.exponent - shift) / 2 - 1);
}

/** FPMulAdd: `addend + a * b`. */
export function multiplyAdd(env: Environment, format: Format, addend: bigint, a: bigint, b: bigint): bigint {
  const [third, first, second] = [unpack(env, format, addend), unpack(env, format, a), unpack(env, format, b)];
  const nan = propagated(env, format, [third, first, second]);
  const product: Unpacked = {
    kind: isInfinite(first) || isInfinite(second) ? 'infinite' : 'finite',
    negative: first.negative !== second.negative,
    mantissa: first.mantissa * second.mantissa,
    exponent: first.exponent + second.exponent,
    bits: 0n,
  };
  const noProduct = isInfinite(product) && (isZero(first) || isZero(second));
  if (noProduct && (nan === undefined || third.kind === 'quiet')) return invalid(env, format);
  return nan ?? sum(env, format, third, product);
}

/** Less than zero, zero or more, as the first number compares with the second; undefined if one is NaN. */
function order(a: Unpacked, b: Unpacked): number | undefined {
  if (isNan(a) || isNan(b)) return undefined;
  if (isInfinite(a) || isInfinite(b)) {
    const rank = (value: Unpacked): number => (isInfinite(value) ? (value.negative ? -1 : 1) : 0);
    return rank(a) - rank(b);
  }
  const { negative, mantissa } = exactSum(a, { ...b, negative: !b.negative });
  return mantissa === 0n ? 0 : negative ? -1 : 1;
}

/** @param signals whether a quiet NaN is invalid too */
export function compare(
  env: Environment,
  format: Format,
  a: bigint,
  b: bigint,
  signals: boolean,
): 'less' | 'equal' | 'greater' | 'unordered' {
  const [first, second] = [unpack(env, format, a), unpack(env, format, b)];
  const result = order(first, second);
  if (result === undefined) {
    if (signals || first.kind === 'signalling' || second.kind === 'signalling') env.raise(Flag.IOC);
    return 'unordered';
  }
  return result === 0 ? 'equal' : result < 0 ? 'less' : 'greater';
}

/** FPMax and FPMin. */
export function extremum(env: Environment, format: Format, a: bigint, b: bigint, largest: boolean): bigint {
  const [first, second] = [unpack(env, format, a), unpack(env, format, b)];
  const nan = propagated(env, format, [first, second]);
  if (nan !== undefined) return nan;
  if (isZero(first) && isZero(second)) {
    const negative = largest ? first.negative && second.negative : first.negative || second.negative;
    return zero(format, negative);
  }
  const greater = (order(first, second) ?? 0) > 0;
  return greater === largest ? first.bits : second.bits;
}

/** FPMaxNum and FPMinNum: a quiet NaN is less, or more, than what is none. */
export function numericExtremum(env: Environment, format: Format, a: bigint, b: bigint, largest: boolean): bigint {
  const isQuiet = (bits: bigint): boolean => unpack(env, format, bits).kind === 'quiet';
  const [quietA, quietB] = [isQuiet(a), isQuiet(b)];
  const ignored = infinity(format, largest);
  return extremum(env, format, quietA && !quietB ? ignored : a, quietB && !quietA ? ignored : b, largest);
}

/** FPRecipStepFused and FPRSqrtStepFused: `constant - a * b`, halved for the latter. */
export function step(env: Environment, format: Format, a: bigint, b: bigint, constant: 2 | 3): bigint {
  const [first, second] = [unpack(env, format, negated(format, a)), unpack(env, format, b)];
  const nan = propagated(env, format, [first, second]);
  if (nan !== undefined) return nan;
  const halved = constant === 3 ? 1 : 0;
  const addend = BigInt(constant);
  if (isInfinite(first) || isInfinite(second)) {
    if (isZero(first) || isZero(second)) return round(env, format, false, addend, -halved);
    return infinity(format, first.negative !== second.negative);
  }
  const product: Unpacked = {
    kind: 'finite',
    negative: first.negative !== second.negative,
    mantissa: first.mantissa * second.mantissa,
    exponent: first.exponent + second.exponent,
    bits: 0n,
  };
  const whole: Unpacked = { kind: 'finite', negative: false, mantissa: addend, exponent: 0, bits: 0n };
  const { negative, mantissa, exponent } = exactSum(whole, product);
  if (mantissa === 0n) return zero(format, env.rounding === Rounding.Down);
  return round(env, format, negative, mantissa, exponent - halved);
}

/** The mask of a comparison of vectors: all bits of the format. */
export function mask(format: Format, holds: boolean): bigint {
  return holds ? withSign(format, true, signBit(format) - 1n) : 0n;
}
