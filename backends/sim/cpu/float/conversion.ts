import { Flag, Rounding, type Environment } from './environment.ts';
import {
  defaultNan,
  half,
  infinity,
  invalid,
  isNan,
  isZero,
  propagated,
  quietBit,
  round,
  roundedInteger,
  signBit,
  unpack,
  withSign,
  zero,
  type Format,
} from './numbers.ts';

/** Conversions between precisions and to and from integers (Arm ARM, J1.3: FPConvert, FPToFixed and so on). */

/** FPConvert and FPConvertNaN: a NaN keeps the highest bits of its payload. */
export function convert(env: Environment, from: Format, to: Format, bits: bigint, rounding = env.rounding): bigint {
  const value = unpack(env, from, bits, true);
  const alternative = env.alternative && to === half;
  if (isNan(value)) {
    if (value.kind === 'signalling' || alternative) env.raise(Flag.IOC);
    if (alternative) return zero(to, value.negative);
    if (env.defaultNan) return defaultNan(to);
    const fraction = bits & ((1n << BigInt(from.fractionBits)) - 1n);
    const by = BigInt(to.fractionBits - from.fractionBits);
    const payload = by >= 0n ? fraction << by : fraction >> -by;
    return infinity(to, value.negative) | quietBit(to) | payload;
  }
  if (value.kind === 'infinite') {
    if (!alternative) return infinity(to, value.negative);
    env.raise(Flag.IOC);
    return withSign(to, value.negative, signBit(to) - 1n);
  }
  return round(env, to, value.negative, value.mantissa, value.exponent, { rounding, converted: true });
}

/** FPToFixed: an integer of `width` bits, saturated. */
export function toFixed(
  env: Environment,
  format: Format,
  bits: bigint,
  to: { readonly width: number; readonly signed: boolean; readonly fractionBits: number; readonly rounding: number },
): bigint {
  const value = unpack(env, format, bits);
  const wrapped = (integer: bigint): bigint => BigInt.asUintN(to.width, integer);
  if (isNan(value)) {
    env.raise(Flag.IOC);
    return 0n;
  }
  const [least, most] = to.signed
    ? [-(1n << BigInt(to.width - 1)), (1n << BigInt(to.width - 1)) - 1n]
    : [0n, (1n << BigInt(to.width)) - 1n];
  const saturated = (): bigint => {
    env.raise(Flag.IOC);
    return wrapped(value.negative ? least : most);
  };
  if (value.kind === 'infinite') return saturated();
  const exponent = value.exponent + to.fractionBits;
  const { integer, inexact } = roundedInteger(value.mantissa, exponent, value.negative, to.rounding);
  const result = value.negative ? -integer : integer;
  if (result < least || result > most) return saturated();
  if (inexact) env.raise(Flag.IXC);
  return wrapped(result);
}

/** FixedToFP. */
export function fromFixed(env: Environment, format: Format, integer: bigint, fractionBits: number): bigint {
  const negative = integer < 0n;
  return round(env, format, negative, negative ? -integer : integer, -fractionBits);
}

/** FPRoundInt. @param exact whether a number that is no integer raises IXC */
export function toIntegral(env: Environment, format: Format, bits: bigint, rounding: number, exact: boolean): bigint {
  const value = unpack(env, format, bits);
  const nan = propagated(env, format, [value]);
  if (nan !== undefined) return nan;
  if (value.kind === 'infinite' || isZero(value)) return value.bits;
  const { integer, inexact } = roundedInteger(value.mantissa, value.exponent, value.negative, rounding);
  if (inexact && exact) env.raise(Flag.IXC);
  return round(env, format, value.negative, integer, 0, { rounding: Rounding.Zero });
}

/** FPRoundIntN: what is no signed integer of `width` bits becomes the most negative one. */
export function toBoundedIntegral(
  env: Environment,
  format: Format,
  bits: bigint,
  rounding: number,
  width: number,
): bigint {
  const value = unpack(env, format, bits);
  const bound = 1n << BigInt(width - 1);
  const outside = (): bigint => {
    env.raise(Flag.IOC);
    return round(env, format, true, bound, 0);
  };
  if (value.kind !== 'finite') return outside();
  if (isZero(value)) return value.bits;
  const { integer, inexact } = roundedInteger(value.mantissa, value.exponent, value.negative, rounding);
  if (value.negative ? integer > bound : integer >= bound) return outside();
  if (inexact) env.raise(Flag.IXC);
  return round(env, format, value.negative, integer, 0, { rounding: Rounding.Zero });
}

/** FPToFixedJS: the low 32 bits, and whether they are the same number, which negative zero is not. */
export function toJavaScript(env: Environment, format: Format, bits: bigint): { integer: bigint; same: boolean } {
  const value = unpack(env, format, bits);
  if (value.kind !== 'finite') {
    invalid(env, format);
    return { integer: 0n, same: false };
  }
  const { integer, inexact } = roundedInteger(value.mantissa, value.exponent, value.negative, Rounding.Zero);
  const whole = value.negative ? -integer : integer;
  const fits = BigInt.asIntN(32, whole) === whole;
  if (!fits) env.raise(Flag.IOC);
  else if (inexact) env.raise(Flag.IXC);
  const negativeZero = isZero(value) && value.negative;
  return { integer: BigInt.asUintN(32, whole), same: fits && !inexact && !negativeZero };
}
