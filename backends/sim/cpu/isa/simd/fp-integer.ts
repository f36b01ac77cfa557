import { insn, vRegister, xDest, xSource, type Decoded, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { f32, f64, i32, i64, type F32, type F64, type I32, type I64 } from '../../wasm/expr.ts';
import { atPrecision, isPrecision, rounded, Rounding, type Float, type FloatWidth } from './float-width.ts';

/** Conversions between scalars and general-purpose registers. Those to integers saturate and convert NaN to zero. */

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

/** Writes an integer times a power of two, which is a double. */
function writeFromInteger<T extends Float>(
  code: Lowering,
  width: FloatWidth<T>,
  value: I64,
  signed: boolean,
  factor: F64,
): void {
  // Safe: the width of 2 bytes is that of F32.
  if (width.bytes === 2) return width.write(code, scaledHalf(code, value, signed, factor) as T);
  // The rounded number is far from denormal, so scaling it down is exact.
  width.write(code, width.mul(fromInteger(width, value, signed), scale(width, factor)));
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
    const n = width.read(code, 'n');
    const value = rounding === Rounding.Zero ? n : rounded(code, width, n, rounding);
    writeInteger(code, value, unsigned === 0, sf);
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
  // From 2^63 on the significand is shifted; the low bits of very large numbers are zero, and so are infinity and NaN.
  const places = code.let(i64.sub(i64.and(i64.shrU(bits, i64.const(52n)), i64.const(0x7ffn)), i64.const(1075n)));
  const significand = i64.or(i64.and(bits, i64.const((1n << 52n) - 1n)), i64.const(1n << 52n));
  const shifted = code.let(i64.select(i64.ltU(places, i64.const(32n)), i64.shl(significand, places), i64.const(0n)));
  const large = i64.select(i64.ltS(bits, i64.const(0n)), i64.sub(i64.const(0n), shifted), shifted);
  const small = f64.lt(f64.abs(n), f64.const(2 ** 63));
  const result = code.let(i32.wrap(i64.select(small, i64.truncSatF64S(n), large)));
  const difference = i64.xor(bits, i64.reinterpretF64(f64.convertI32S(result)));
  code.setW('d', result);
  code.setFlags(i64.const(0n), difference, i32.const(0), i32.const(0));
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
      const signed = unsigned === 0;
      atPrecision(type, (width) => {
        if (type === 3) return writeFromInteger(code, width, readInteger(code, signed, sf), signed, f64.const(1));
        width.write(code, fromInteger(width, readInteger(code, signed, sf), signed));
      });
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
        // Scaling up is exact unless it overflows, and then the result saturates anyway.
        writeInteger(
          code,
          width.mul(width.read(code, 'n'), scale(width, f64.reinterpret(code.imm()))),
          unsigned === 0,
          sf,
        );
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
      const signed = unsigned === 0;
      atPrecision(type, (width) => {
        writeFromInteger(code, width, readInteger(code, signed, sf), signed, f64.reinterpret(code.imm()));
      });
    },
  ),
  insn(
    'FJCVTZS',
    '0 0 0 11110 01 1 11 110 000000 Rn:5 Rd:5',
    ({ Rn, Rd }) => ({ variant: [], d: xDest(Rd), n: vRegister(Rn) }),
    convertJavaScript,
  ),
];
