import { Cost, type Effort } from '../effort.ts';
import { FloatHelper, FloatFormat, helperOperand, HELPER_RESULT } from '../isa/simd/float-helper.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { VcpuState } from '../layout.ts';

/**
 * Floating-point operations for which generated code has no short sequence: exact arithmetic on integers, rounded once.
 * They are rare in programs, so only correctness counts here.
 */

interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
}

const formats: Readonly<Record<number, Format>> = {
  [FloatFormat.Half]: { exponentBits: 5, fractionBits: 10, bias: 15 },
  [FloatFormat.Single]: { exponentBits: 8, fractionBits: 23, bias: 127 },
  [FloatFormat.Double]: { exponentBits: 11, fractionBits: 52, bias: 1023 },
};

/** FPCR.AHP: half precision without infinities and NaNs. */
const AHP = 1 << 26;
/** FPCR.DN: every NaN result is the default NaN. */
const DN = 1 << 25;

/** An unpacked number; a finite one has the value `mantissa * 2^exponent`. */
interface Unpacked {
  readonly kind: 'finite' | 'infinite' | 'quiet' | 'signalling';
  readonly negative: boolean;
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly bits: bigint;
}

function unpack(bits: bigint, format: Format, alternative = false): Unpacked {
  const { exponentBits, fractionBits, bias } = format;
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  const biased = Number((bits >> BigInt(fractionBits)) & ((1n << BigInt(exponentBits)) - 1n));
  const negative = ((bits >> BigInt(fractionBits + exponentBits)) & 1n) === 1n;
  let kind: Unpacked['kind'] = 'finite';
  if (biased === 2 ** exponentBits - 1 && !alternative) {
    const quiet = fraction >> BigInt(fractionBits - 1) === 1n;
    kind = fraction === 0n ? 'infinite' : quiet ? 'quiet' : 'signalling';
  }
  return {
    kind,
    negative,
    mantissa: biased === 0 ? fraction : fraction | (1n << BigInt(fractionBits)),
    exponent: Math.max(biased, 1) - bias - fractionBits,
    bits,
  };
}

function isNan({ kind }: Unpacked): boolean {
  return kind === 'quiet' || kind === 'signalling';
}

function withSign(format: Format, negative: boolean, rest: bigint): bigint {
  return rest | (negative ? 1n << BigInt(format.exponentBits + format.fractionBits) : 0n);
}

function infinity(format: Format, negative = false): bigint {
  return withSign(format, negative, ((1n << BigInt(format.exponentBits)) - 1n) << BigInt(format.fractionBits));
}

function quietBit(format: Format): bigint {
  return 1n << BigInt(format.fractionBits - 1);
}

function defaultNan(format: Format): bigint {
  return infinity(format) | quietBit(format);
}

type Rounding = 'nearest' | 'odd';

/** `mantissa * 2^exponent` rounded once. */
function round(
  format: Format,
  negative: boolean,
  mantissa: bigint,
  exponent: number,
  rounding: Rounding = 'nearest',
  alternative = false,
): bigint {
  const { fractionBits, exponentBits, bias } = format;
  if (mantissa === 0n) return withSign(format, negative, 0n);
  const length = mantissa.toString(2).length;
  // Exponent of the result's last bit: that of a normal number or of a denormal.
  let last = Math.max(exponent + length - (fractionBits + 1), 1 - bias - fractionBits);
  let result: bigint;
  if (last <= exponent) {
    result = mantissa << BigInt(exponent - last);
  } else {
    const dropped = BigInt(last - exponent);
    result = mantissa >> dropped;
    const rest = mantissa - (result << dropped);
    const halfway = 1n << (dropped - 1n);
    if (rounding === 'odd') {
      if (rest !== 0n) result |= 1n;
    } else if (rest > halfway || (rest === halfway && (result & 1n) === 1n)) {
      result += 1n;
    }
  }
  if (result >> BigInt(fractionBits + 1) !== 0n) {
    result >>= 1n;
    last += 1;
  }
  const hidden = 1n << BigInt(fractionBits);
  if (result < hidden) return withSign(format, negative, result);
  const biased = last + bias + fractionBits;
  const reserved = 2 ** exponentBits - (alternative ? 0 : 1);
  if (biased >= reserved) {
    if (alternative) return withSign(format, negative, (1n << BigInt(exponentBits + fractionBits)) - 1n);
    return rounding === 'odd' ? infinity(format, negative) - 1n : infinity(format, negative);
  }
  return withSign(format, negative, (BigInt(biased) << BigInt(fractionBits)) | (result - hidden));
}

/** FPProcessNaNs: the first signalling NaN, else the first quiet one; undefined if there is none. */
function propagated(format: Format, operands: readonly Unpacked[], fpcr: number): bigint | undefined {
  const chosen = operands.find(({ kind }) => kind === 'signalling') ?? operands.find(({ kind }) => kind === 'quiet');
  if (chosen === undefined) return undefined;
  return (fpcr & DN) !== 0 ? defaultNan(format) : chosen.bits | quietBit(format);
}

/** `addend + n * m` of finite numbers, exact. */
function exactSum(addend: Unpacked, n: Unpacked, m: Unpacked) {
  const exponent = Math.min(addend.exponent, n.exponent + m.exponent);
  const signed = (negative: boolean, mantissa: bigint): bigint => (negative ? -mantissa : mantissa);
  const product = signed(n.negative !== m.negative, n.mantissa * m.mantissa);
  const sum =
    (signed(addend.negative, addend.mantissa) << BigInt(addend.exponent - exponent)) +
    (product << BigInt(n.exponent + m.exponent - exponent));
  return { negative: sum < 0n, mantissa: sum < 0n ? -sum : sum, exponent };
}

/** FPRecipStepFused and FPRSqrtStepFused: `constant - n * m`, halved for the latter. */
function step(format: Format, bits: readonly bigint[], constant: 2 | 3, fpcr: number): bigint {
  const sign = 1n << BigInt(format.exponentBits + format.fractionBits);
  const n = unpack((bits[0] ?? 0n) ^ sign, format);
  const m = unpack(bits[1] ?? 0n, format);
  const nan = propagated(format, [n, m], fpcr);
  if (nan !== undefined) return nan;
  const zero = [n, m].some(({ kind, mantissa }) => kind === 'finite' && mantissa === 0n);
  const halved = constant === 3 ? 1 : 0;
  if (n.kind === 'infinite' || m.kind === 'infinite') {
    if (!zero) return infinity(format, n.negative !== m.negative);
    return round(format, false, BigInt(constant), -halved);
  }
  const addend: Unpacked = { kind: 'finite', negative: false, mantissa: BigInt(constant), exponent: 0, bits: 0n };
  const { negative, mantissa, exponent } = exactSum(addend, n, m);
  return round(format, negative, mantissa, exponent - halved);
}

function fusedMultiplyAdd(bits: readonly bigint[], format: Format): bigint {
  const [addend = 0n, n = 0n, m = 0n] = bits;
  const { negative, mantissa, exponent } = exactSum(unpack(addend, format), unpack(n, format), unpack(m, format));
  return round(format, negative, mantissa, exponent);
}

/** FPConvert and FPConvertNaN: a NaN keeps the highest bits of its payload. */
function convert(bits: bigint, from: number, to: number, fpcr: number, rounding: Rounding): bigint {
  const source = formats[from];
  const target = formats[to];
  if (source === undefined || target === undefined) return 0n;
  const alternative = (fpcr & AHP) !== 0;
  const value = unpack(bits, source, alternative && from === FloatFormat.Half);
  const toAlternative = alternative && to === FloatFormat.Half;
  if (isNan(value)) {
    if (toAlternative) return withSign(target, value.negative, 0n);
    if ((fpcr & DN) !== 0) return defaultNan(target);
    const fraction = bits & ((1n << BigInt(source.fractionBits)) - 1n);
    const by = BigInt(target.fractionBits - source.fractionBits);
    const payload = by >= 0n ? fraction << by : fraction >> -by;
    return infinity(target, value.negative) | quietBit(target) | payload;
  }
  if (value.kind === 'infinite') {
    return toAlternative ? withSign(target, value.negative, 0x7fffn) : infinity(target, value.negative);
  }
  return round(target, value.negative, value.mantissa, value.exponent, rounding, toAlternative);
}

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
  const length = value.mantissa.toString(2).length;
  const fraction = (value.mantissa << BigInt(53 - length)) - (1n << 52n);
  return { exponent: value.exponent + length - 1 + format.bias, fraction };
}

function reciprocalEstimate(bits: bigint, format: Format, fpcr: number): bigint {
  const value = unpack(bits, format);
  const nan = propagated(format, [value], fpcr);
  if (nan !== undefined) return nan;
  if (value.kind === 'infinite') return withSign(format, value.negative, 0n);
  if (value.mantissa === 0n) return infinity(format, value.negative);
  const { exponent, fraction } = normalised(value, format);
  // Below 2^-(bias + 1) the reciprocal overflows.
  if (exponent < -1) return infinity(format, value.negative);
  const estimate = BigInt(reciprocalTable(256 + Number(fraction >> 44n)) & 0xff) << 44n;
  let biased = 2 * format.bias - 1 - exponent;
  let result = estimate;
  if (biased === 0) result = (1n << 51n) | (estimate >> 1n);
  else if (biased === -1) {
    result = (1n << 50n) | (estimate >> 2n);
    biased = 0;
  }
  const kept = result >> BigInt(52 - format.fractionBits);
  return withSign(format, value.negative, (BigInt(biased) << BigInt(format.fractionBits)) | kept);
}

function rootEstimate(bits: bigint, format: Format, fpcr: number): bigint {
  const value = unpack(bits, format);
  const nan = propagated(format, [value], fpcr);
  if (nan !== undefined) return nan;
  if (value.kind === 'finite' && value.mantissa === 0n) return infinity(format, value.negative);
  if (value.negative) return defaultNan(format);
  if (value.kind === 'infinite') return 0n;
  const { exponent, fraction } = normalised(value, format);
  const top = Number(fraction >> 44n);
  const even = (exponent & 1) === 0;
  const estimate = BigInt(rootTable(even ? 256 + top : 128 + (top >> 1)) & 0xff);
  const biased = Math.floor((3 * format.bias - 1 - exponent) / 2);
  return (BigInt(biased) << BigInt(format.fractionBits)) | (estimate << BigInt(format.fractionBits - 8));
}

function reciprocalExponent(bits: bigint, format: Format, fpcr: number): bigint {
  const value = unpack(bits, format);
  const nan = propagated(format, [value], fpcr);
  if (nan !== undefined) return nan;
  const ones = (1n << BigInt(format.exponentBits)) - 1n;
  const exponent = (bits >> BigInt(format.fractionBits)) & ones;
  const result = exponent === 0n ? ones - 1n : exponent ^ ones;
  return withSign(format, value.negative, result << BigInt(format.fractionBits));
}

function unsignedEstimate(bits: bigint, root: boolean): bigint {
  const value = Number(bits & 0xffff_ffffn);
  if (value < (root ? 0x4000_0000 : 0x8000_0000)) return 0xffff_ffffn;
  return BigInt((root ? rootTable : reciprocalTable)(value >>> 23)) << 23n;
}

function evaluate(helper: number, argument: number, operands: readonly bigint[], fpcr: number): bigint {
  const [first = 0n] = operands;
  const format = formats[argument & 3];
  if (format === undefined) return 0n;
  switch (helper) {
    case FloatHelper.FusedMultiplyAdd:
      return fusedMultiplyAdd(operands, format);
    case FloatHelper.ReciprocalStep:
      return step(format, operands, 2, fpcr);
    case FloatHelper.RootStep:
      return step(format, operands, 3, fpcr);
    case FloatHelper.Convert:
      return convert(first, argument & 3, argument >> 2, fpcr, 'nearest');
    case FloatHelper.ConvertToOdd:
      return convert(first, argument & 3, argument >> 2, fpcr, 'odd');
    case FloatHelper.ReciprocalEstimate:
      return reciprocalEstimate(first, format, fpcr);
    case FloatHelper.RootEstimate:
      return rootEstimate(first, format, fpcr);
    case FloatHelper.ReciprocalExponent:
      return reciprocalExponent(first, format, fpcr);
    case FloatHelper.UnsignedReciprocalEstimate:
      return unsignedEstimate(first, false);
    default:
      return unsignedEstimate(first, true);
  }
}

/** The helper function that generated code imports; operands and result are passed in the state (`floatHelper`). */
export function createHelper(memory: LinearMemory, effort: Effort): (helper: number, argument: number) => number {
  return (helper, argument) => {
    effort.called += Cost.Helper;
    const operand = (index: number): bigint => memory.u64[helperOperand(index) >> 3] ?? 0n;
    const fpcr = memory.u32[VcpuState.Fpcr >> 2] ?? 0;
    memory.u64[HELPER_RESULT >> 3] = evaluate(helper, argument, [operand(0), operand(1), operand(2)], fpcr);
    return 0;
  };
}
