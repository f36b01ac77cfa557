import { insn, vRegister, xDest, xSource, type Decoded, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { f32, f64, i32, i64, type F32, type F64, type I32, type I64 } from '../../wasm/expr.ts';
import { Rounding } from '../../float/environment.ts';
import { ExactFormat, ExactKind, packed, UNSIGNED, WIDE } from '../../float/operation.ts';
import { exactFormatOfType, whereDefault, whereSettled } from './exactness.ts';
import { atPrecision, isNormal, isPrecision, rounded, type Float, type FloatWidth } from './float-width.ts';

/** Conversions between scalars and general-purpose registers. What saturates is left to the exact unit. */

export function toInteger(value: Float, signed: boolean): I64 {
  if (value.type === 'f32') return (signed ? i64.truncSatF32S : i64.truncSatF32U)(value);
  return (signed ? i64.truncSatF64S : i64.truncSatF64U)(value);
}

function toInteger32(value: Float, signed: boolean): I32 {
  if (value.type === 'f32') return (signed ? i32.truncSatF32S : i32.truncSatF32U)(value);
  return (signed ? i32.truncSatF64S : i32.truncSatF64U)(value);
}

function writeInteger(code: Lowering, value: Float, signed: boolean, sf: number): void {
  if (sf === 1) code.setX('d', toInteger(value, signed));
  else code.setW('d', toInteger32(value, signed));
}

export function fromInteger<T extends Float>(width: FloatWidth<T>, value: I64, signed: boolean): T {
  const single = (signed ? f32.convertI64S : f32.convertI64U)(value);
  const double = (signed ? f64.convertI64S : f64.convertI64U)(value);
  // Safe: the width of 8 bytes is that of F64.
  return (width.bytes === 8 ? double : single) as T;
}

/**
 * A scaled integer as a single that rounds to the right half: the lowest bits of a large integer and of a double tell
 * only whether there is anything below those kept (rounding to odd).
 */
function scaledHalf(code: Lowering, integer: I64, signed: boolean, factor: F64): F32 {
  const value = code.let(integer);
  const limit = i64.const(1n << 32n);
  const isLarge = signed ? i64.geU(i64.add(value, limit), i64.const(1n << 33n)) : i64.geU(value, limit);
  const sticky = (bits: I64, dropped: bigint, into: bigint): I64 => {
    const rest = i64.and(bits, i64.const((1n << dropped) - 1n));
    const inexact = i64.shl(i64.extendI32U(i32.eqz(i64.eqz(rest))), i64.const(into));
    return i64.or(i64.and(bits, i64.const(-1n << dropped)), inexact);
  };
  const exact = code.let(i64.select(isLarge, sticky(value, 20n, 19n), value));
  const double = code.let(f64.mul((signed ? f64.convertI64S : f64.convertI64U)(exact), factor));
  return f32.demote(f64.reinterpret(sticky(code.let(i64.reinterpretF64(double)), 29n, 29n)));
}

/** Whether the magnitude of an integer is at most `most`, a power of two. */
function isAtMost(value: I64, signed: boolean, most: bigint): I32 {
  return signed ? i64.leU(i64.add(value, i64.const(most)), i64.const(2n * most)) : i64.leU(value, i64.const(most));
}

const exactIntegers = { 2: 1n << 11n, 4: 1n << 24n, 8: 1n << 53n } as const;

/** Writes an integer times a power of two, which is a double; default: one. */
function writeFromInteger(code: Lowering, sf: number, type: number, signed: boolean, factor?: F64): void {
  const integer = code.let(readInteger(code, signed, sf));
  atPrecision(type, (width) => {
    const scaled = (): typeof unscaled => {
      // Safe: the width of 2 bytes is that of F32.
      if (width.bytes === 2) return scaledHalf(code, integer, signed, factor ?? f64.const(1)) as typeof unscaled;
      // The rounded number is far from denormal, so scaling it down is exact.
      return factor === undefined ? unscaled : width.mul(unscaled, scale(width, factor));
    };
    const unscaled = fromInteger(width, integer, signed);
    const result = width.let(code, scaled());
    const write = (): void => {
      width.write(code, result);
    };
    // Every number of 32 bits is a double.
    if (width.bytes === 8 && sf === 0) return write();
    const right = width.bytes === 2 ? i32.or(isNormal(width, result), width.eq(result, width.const(0))) : i32.const(1);
    code.if(whereSettled(right), write, () => {
      const exact = i32.and(right, isAtMost(integer, signed, exactIntegers[width.bytes]));
      code.if(whereDefault(exact), write, () => {
        const detail = (signed ? 0 : UNSIGNED) | (sf === 1 ? WIDE : 0);
        const operation = packed({ kind: ExactKind.FromGeneral, format: exactFormatOfType(type), detail });
        const bits = factor === undefined ? i32.const(0) : i32.sub(i32.const(0), exponentOf(factor));
        code.exactly(operation, bits);
      });
    });
  });
}

/** The exponent of a power of two. */
function exponentOf(factor: F64): I32 {
  return i32.sub(i32.wrap(i64.shrU(i64.reinterpretF64(factor), i64.const(52n))), i32.const(1023));
}

/** Whether a number is one of the integers of a size; the most negative one is left to the exact unit. */
function isInRange<T extends Float>(width: FloatWidth<T>, whole: T, signed: boolean, sf: number): I32 {
  const bits = sf === 1 ? 64 : 32;
  if (signed) return width.lt(width.abs(whole), width.const(2 ** (bits - 1)));
  return i32.and(width.ge(whole, width.const(0)), width.lt(whole, width.const(2 ** bits)));
}

/** Writes a number, which is a local and may be scaled by a power of two, as an integer. */
function writeRounded<T extends Float>(
  code: Lowering,
  width: FloatWidth<T>,
  number: T,
  form: { readonly sf: number; readonly type: number; readonly unsigned: number; readonly rounding: number },
  factor?: F64,
): void {
  const { sf, type, unsigned, rounding: mode } = form;
  const signed = unsigned === 0;
  const whole = width.let(code, rounded(code, width, number, mode));
  const right = code.let(isInRange(width, whole, signed, sf));
  const writeWhole = (): void => {
    writeInteger(code, whole, signed, sf);
  };
  code.if(whereSettled(right), writeWhole, () => {
    code.if(whereDefault(i32.and(right, width.eq(whole, number))), writeWhole, () => {
      const detail = mode | (signed ? 0 : UNSIGNED) | (sf === 1 ? WIDE : 0);
      const operation = packed({ kind: ExactKind.ToGeneral, format: exactFormatOfType(type), detail });
      code.exactly(operation, factor === undefined ? i32.const(0) : exponentOf(factor));
    });
  });
}

function readInteger(code: Lowering, signed: boolean, sf: number): I64 {
  if (sf === 1) return code.x('n');
  return signed ? i64.extendI32S(code.w('n')) : i64.extendI32U(code.w('n'));
}

/** 2^exponent, in double precision, for the instruction's 64-bit constant. */
export function powerOfTwo(exponent: number): bigint {
  return BigInt(1023 + exponent) << 52n;
}

/** A power of two is exact in single precision too. */
function scale<T extends Float>(width: FloatWidth<T>, factor: F64): T {
  // Safe: the width of 8 bytes is that of F64.
  return (width.bytes === 8 ? factor : f32.demote(factor)) as T;
}

/** @param fixed for fixed-point forms: the factor of the value */
function decodeTo(
  f: { readonly sf: number; readonly type: number; readonly Rn: number; readonly Rd: number },
  variant: readonly number[],
  fixed?: bigint,
): Decoded | undefined {
  if (!isPrecision(f.type)) return undefined;
  return {
    variant: [f.sf, f.type, ...variant],
    d: xDest(f.Rd),
    n: vRegister(f.Rn),
    ...(fixed === undefined ? {} : { imm: fixed }),
  };
}

function decodeFrom(
  f: { readonly sf: number; readonly type: number; readonly U: number; readonly Rn: number; readonly Rd: number },
  fixed?: bigint,
): Decoded | undefined {
  if (!isPrecision(f.type)) return undefined;
  return {
    variant: [f.sf, f.type, f.U],
    d: vRegister(f.Rd),
    n: xSource(f.Rn),
    ...(fixed === undefined ? {} : { imm: fixed }),
  };
}

function convertTo(code: Lowering, sf = 0, type = 0, unsigned = 0, rounding = 0): void {
  atPrecision(type, (width) => {
    writeRounded(code, width, width.let(code, width.read(code, 'n')), { sf, type, unsigned, rounding });
  });
}

/** The `scale` field is 64 minus the number of fraction bits, of which W registers have at most 32. */
function fractionBits(sf: number, scaleField: number): number | undefined {
  return sf === 0 && scaleField < 32 ? undefined : 64 - scaleField;
}

/**
 * FJCVTZS: the low 32 bits of a double rounded toward zero, as JavaScript converts it; PSTATE.Z says whether they are
 * the same number, which -0 is not.
 */
function convertJavaScript(code: Lowering): void {
  const n = code.let(code.dbl('n'));
  const bits = code.let(i64.reinterpretF64(n));
  const result = code.let(i32.truncSatF64S(n));
  const difference = code.let(i64.xor(bits, i64.reinterpretF64(f64.convertI32S(result))));
  const write = (): void => {
    code.setW('d', result);
    code.setFlags(i64.const(0n), difference, i32.const(0), i32.const(0));
  };
  const inRange = f64.lt(f64.abs(n), f64.const(2 ** 31));
  code.if(whereSettled(inRange), write, () => {
    code.if(whereDefault(i64.eqz(difference)), write, () => {
      code.exactly(packed({ kind: ExactKind.ConvertJavaScript, format: ExactFormat.Double }));
    });
  });
}

/** Conversion between floating-point and integer or fixed-point (Arm ARM, C4.1.96). */
export const fpInteger: readonly Definition[] = [
  insn(
    'FCVTNS, FCVTNU, FCVTPS, FCVTPU, FCVTMS, FCVTMU, FCVTZS, FCVTZU (scalar)',
    'sf 0 0 11110 type:2 1 rmode:2 00 U 000000 Rn:5 Rd:5',
    (f) => decodeTo(f, [f.U, f.rmode]),
    convertTo,
  ),
  insn(
    'FCVTAS, FCVTAU (scalar)',
    'sf 0 0 11110 type:2 1 00 10 U 000000 Rn:5 Rd:5',
    (f) => decodeTo(f, [f.U, Rounding.Away]),
    convertTo,
  ),
  insn(
    'SCVTF, UCVTF (scalar, integer)',
    'sf 0 0 11110 type:2 1 00 01 U 000000 Rn:5 Rd:5',
    (f) => decodeFrom(f),
    (code, sf = 0, type = 0, unsigned = 0) => {
      writeFromInteger(code, sf, type, unsigned === 0);
    },
  ),
  insn(
    'FCVTZS, FCVTZU (scalar, fixed-point)',
    'sf 0 0 11110 type:2 0 11 00 U scale:6 Rn:5 Rd:5',
    (f) => {
      const bits = fractionBits(f.sf, f.scale);
      return bits === undefined ? undefined : decodeTo(f, [f.U], powerOfTwo(bits));
    },
    (code, sf = 0, type = 0, unsigned = 0) => {
      atPrecision(type, (width) => {
        const factor = f64.reinterpret(code.imm());
        // Scaling up is exact unless it overflows, and then the result saturates anyway.
        const scaled = width.let(code, width.mul(width.read(code, 'n'), scale(width, factor)));
        writeRounded(code, width, scaled, { sf, type, unsigned, rounding: Rounding.Zero }, factor);
      });
    },
  ),
  insn(
    'SCVTF, UCVTF (scalar, fixed-point)',
    'sf 0 0 11110 type:2 0 00 01 U scale:6 Rn:5 Rd:5',
    (f) => {
      const bits = fractionBits(f.sf, f.scale);
      return bits === undefined ? undefined : decodeFrom(f, powerOfTwo(-bits));
    },
    (code, sf = 0, type = 0, unsigned = 0) => {
      writeFromInteger(code, sf, type, unsigned === 0, f64.reinterpret(code.imm()));
    },
  ),
  insn(
    'FJCVTZS',
    '0 0 0 11110 01 1 11 110 000000 Rn:5 Rd:5',
    ({ Rn, Rd }) => ({ variant: [], d: xDest(Rd), n: vRegister(Rn) }),
    convertJavaScript,
  ),
];
