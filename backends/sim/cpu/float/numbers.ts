import { Flag, Rounding, type Environment } from './environment.ts';

/** Binary floating-point numbers as exact integers (FPUnpack, FPRound and FPProcessNaNs of the Arm ARM, J1.3). */

export interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
  readonly bytes: 2 | 4 | 8;
  /** Masks of the fields of an encoding, made once. */
  readonly sign: bigint;
  readonly fraction: bigint;
  /** The bit above the fraction, which encodings of normal numbers leave out. */
  readonly hidden: bigint;
  readonly infinite: bigint;
  readonly shift: bigint;
}

export function binaryFormat(bytes: 2 | 4 | 8, exponentBits: number, fractionBits: number): Format {
  const shift = BigInt(fractionBits);
  return {
    exponentBits,
    fractionBits,
    bias: 2 ** (exponentBits - 1) - 1,
    bytes,
    sign: 1n << BigInt(exponentBits + fractionBits),
    fraction: (1n << shift) - 1n,
    hidden: 1n << shift,
    infinite: ((1n << BigInt(exponentBits)) - 1n) << shift,
    shift,
  };
}

export const half: Format = binaryFormat(2, 5, 10);
export const single: Format = binaryFormat(4, 8, 23);
export const double: Format = binaryFormat(8, 11, 52);

/** An unpacked number; a finite one has the value `mantissa * 2^exponent`. */
export interface Unpacked {
  readonly kind: 'finite' | 'infinite' | 'quiet' | 'signalling';
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
  /** Its encoding, which is that of a zero if a denormal was flushed. */
  readonly bits: bigint;
}

function flushes(env: Environment, format: Format): boolean {
  return format === half ? env.flushesHalves : env.flushes;
}

/** @param converted whether only the precision is changed, for which halves are not flushed and may be alternative */
export function unpack(env: Environment, format: Format, bits: bigint, converted = false): Unpacked {
  const { exponentBits, fractionBits, bias } = format;
  const fraction = bits & format.fraction;
  const biased = Number((bits & format.infinite) >> format.shift);
  const negative = bits >= format.sign;
  const alternative = converted && format === half && env.alternative;
  if (biased === 2 ** exponentBits - 1 && !alternative) {
    const quiet = (fraction & quietBit(format)) !== 0n;
    const kind = fraction === 0n ? 'infinite' : quiet ? 'quiet' : 'signalling';
    return { kind, negative, mantissa: 0n, exponent: 0, bits };
  }
  if (biased === 0 && fraction !== 0n && flushes(env, format) && !(converted && format === half)) {
    // Halves raise no flag.
    if (format !== half) env.raise(Flag.IDC);
    return { kind: 'finite', negative, mantissa: 0n, exponent: 0, bits: zero(format, negative) };
  }
  const mantissa = biased === 0 ? fraction : fraction | format.hidden;
  return { kind: 'finite', negative, mantissa, exponent: Math.max(biased, 1) - bias - fractionBits, bits };
}

export function isNan({ kind }: Unpacked): boolean {
  return kind === 'quiet' || kind === 'signalling';
}

export function isInfinite({ kind }: Unpacked): boolean {
  return kind === 'infinite';
}

export function isZero({ kind, mantissa }: Unpacked): boolean {
  return kind === 'finite' && mantissa === 0n;
}

export function signBit(format: Format): bigint {
  return format.sign;
}

export function withSign(format: Format, negative: boolean, magnitude: bigint): bigint {
  return negative ? magnitude | signBit(format) : magnitude;
}

export function zero(format: Format, negative: boolean): bigint {
  return withSign(format, negative, 0n);
}

export function infinity(format: Format, negative = false): bigint {
  return withSign(format, negative, format.infinite);
}

export function quietBit(format: Format): bigint {
  return format.hidden >> 1n;
}

export function defaultNan(format: Format): bigint {
  return infinity(format) | quietBit(format);
}

/** The result of an operation that is invalid. */
export function invalid(env: Environment, format: Format): bigint {
  env.raise(Flag.IOC);
  return defaultNan(format);
}

const scratch = new DataView(new ArrayBuffer(8));

export function bitLength(value: bigint): number {
  scratch.setFloat64(0, Number(value));
  const exponent = (scratch.getUint32(0) >>> 20) - 1023;
  if (exponent === 1024) {
    const digits = value.toString(16);
    return digits.length * 4 - Math.clz32(parseInt(digits.charAt(0), 16)) + 28;
  }
  if (exponent < 53) return exponent < 0 ? 0 : exponent + 1;
  // A larger number may have been rounded up to a power of two.
  return value >> BigInt(exponent) === 0n ? exponent : exponent + 1;
}

/** Whether what is dropped makes the magnitude of a kept integer greater. */
function roundsUp(rounding: number, negative: boolean, odd: boolean, rest: bigint, halfway: bigint): boolean {
  switch (rounding) {
    case Rounding.Nearest:
      return rest > halfway || (rest === halfway && odd);
    case Rounding.Away:
      return rest >= halfway;
    case Rounding.Up:
      return rest !== 0n && !negative;
    case Rounding.Down:
      return rest !== 0n && negative;
    case Rounding.Odd:
      return rest !== 0n && !odd;
    default:
      return false;
  }
}

/** The magnitude `mantissa * 2^exponent` as an integer. */
export function roundedInteger(
  mantissa: bigint,
  exponent: number,
  negative: boolean,
  rounding: number,
): { integer: bigint; inexact: boolean } {
  if (exponent === 0) return { integer: mantissa, inexact: false };
  if (exponent > 0) return { integer: mantissa << BigInt(exponent), inexact: false };
  const dropped = BigInt(-exponent);
  const kept = mantissa >> dropped;
  const rest = mantissa - (kept << dropped);
  const up = roundsUp(rounding, negative, (kept & 1n) === 1n, rest, 1n << (dropped - 1n));
  return { integer: up ? kept + 1n : kept, inexact: rest !== 0n };
}

export interface RoundOptions {
  readonly rounding?: number;
  /** Whether only the precision is changed; see `unpack`. */
  readonly converted?: boolean;
}

/** FPRound: a nonzero `mantissa * 2^exponent`, rounded once. Tiny is what is below the normal numbers beforehand. */
export function round(
  env: Environment,
  format: Format,
  negative: boolean,
  mantissa: bigint,
  exponent: number,
  { rounding = env.rounding, converted = false }: RoundOptions = {},
): bigint {
  const { fractionBits, exponentBits, bias } = format;
  if (mantissa === 0n) return zero(format, negative);
  const top = exponent + bitLength(mantissa) - 1;
  const tiny = top < 1 - bias;
  if (tiny && flushes(env, format) && !(converted && format === half)) {
    env.raise(Flag.UFC);
    return zero(format, negative);
  }
  // Exponent of the result's last bit: that of a normal number or of a denormal.
  let last = Math.max(top, 1 - bias) - fractionBits;
  const { integer, inexact } = roundedInteger(mantissa, exponent - last, negative, rounding);
  let kept = integer;
  if (kept >> (format.shift + 1n) !== 0n) {
    kept >>= 1n;
    last += 1;
  }
  if (tiny && inexact) env.raise(Flag.UFC);
  const { hidden } = format;
  const biased = last + bias + fractionBits;
  if (kept >= hidden) {
    if (converted && format === half && env.alternative) {
      if (biased >= 2 ** exponentBits) {
        env.raise(Flag.IOC);
        return withSign(format, negative, signBit(format) - 1n);
      }
    } else if (biased >= 2 ** exponentBits - 1) {
      env.raise(Flag.OFC | Flag.IXC);
      return overflowed(format, negative, rounding);
    }
  }
  if (inexact) env.raise(Flag.IXC);
  if (kept < hidden) return withSign(format, negative, kept);
  return withSign(format, negative, (BigInt(biased) << format.shift) | (kept - hidden));
}

/** What is too large: infinity, or the largest number. */
export function overflowed(format: Format, negative: boolean, rounding: number): bigint {
  const toInfinity =
    rounding === Rounding.Nearest ||
    (rounding === Rounding.Up && !negative) ||
    (rounding === Rounding.Down && negative);
  return toInfinity ? infinity(format, negative) : infinity(format, negative) - 1n;
}

/** FPProcessNaN. */
export function quieted(env: Environment, format: Format, nan: Unpacked): bigint {
  if (nan.kind === 'signalling') env.raise(Flag.IOC);
  return env.defaultNan ? defaultNan(format) : nan.bits | quietBit(format);
}

/** FPProcessNaNs: of the first signalling NaN, else of the first quiet one; undefined if there is none. */
export function propagated(env: Environment, format: Format, operands: readonly Unpacked[]): bigint | undefined {
  const chosen = operands.find(({ kind }) => kind === 'signalling') ?? operands.find(({ kind }) => kind === 'quiet');
  return chosen === undefined ? undefined : quieted(env, format, chosen);
}
