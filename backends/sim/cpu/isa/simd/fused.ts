import type { Lowering } from '../lowering.ts';
import { f32, f64, i32, i64, v128, type F32, type F64, type I32, type V128 } from '../../wasm/expr.ts';
import { convertVector, f32x4, f64x2, type FloatShape } from '../../wasm/lane-shapes.ts';
import { pick, laneBytes } from './vector.ts';

/**
 * Fused multiply-add, which WebAssembly lacks: `addend + n * m`, rounded once, unless it is NaN. The method is that of
 * Boldo and Melquiond (Emulation of FMA and correctly rounded sums, 2008): sums rounded to odd are not rounded twice.
 */

/** Rounds a sum to odd, given what its rounding lost: an inexact sum ends in a one. */
function roundedToOdd(code: Lowering, sum: F64, lost: F64): F64 {
  const bits = code.let(i64.reinterpretF64(sum));
  const zero = f64.const(0);
  const inexact = i32.or(f64.lt(lost, zero), f64.gt(lost, zero));
  const even = i64.eqz(i64.and(bits, i64.const(1n)));
  // Away from zero if the lost part has the sign of the sum.
  const step = i64.or(i64.shrS(i64.xor(bits, i64.reinterpretF64(lost)), i64.const(63n)), i64.const(1n));
  const change = i64.select(i32.and(inexact, even), step, i64.const(0n));
  return f64.reinterpret(i64.add(bits, change));
}

/** The rounded sum, and exactly what its rounding lost (Knuth). */
function twoSum(code: Lowering, a: F64, b: F64): { sum: F64; lost: F64 } {
  const sum = code.let(f64.add(a, b));
  const second = code.let(f64.sub(sum, a));
  const lost = code.let(f64.add(f64.sub(a, f64.sub(sum, second)), f64.sub(b, second)));
  return { sum, lost };
}

/** `addend + n * m`: the product of singles is exact in double precision. */
export function fusedSingle(code: Lowering, addend: F32, n: F32, m: F32): F32 {
  const product = code.let(f64.mul(f64.promote(n), f64.promote(m)));
  const { sum, lost } = twoSum(code, product, code.let(f64.promote(addend)));
  return f32.demote(roundedToOdd(code, sum, lost));
}

/** Both operands are locals. */
function sumRoundedToOdd(code: Lowering, shape: FloatShape, a: V128, b: V128): V128 {
  const integers = shape.integer;
  const zero = shape.all(0);
  const sum = code.let(shape.add(a, b));
  const second = code.let(shape.sub(sum, a));
  const lost = code.let(shape.add(shape.sub(a, shape.sub(sum, second)), shape.sub(b, second)));
  const inexact = v128.or(shape.gt(zero, lost), shape.gt(lost, zero));
  const one = integers.all(1n);
  const even = integers.eq(v128.and(sum, one), zero);
  const step = v128.or(integers.shrS(v128.xor(sum, lost), i32.const(shape.bytes * 8 - 1)), one);
  return code.let(integers.add(sum, v128.and(step, v128.and(inexact, even))));
}

/** The same for four lanes; with `half`, the low two are enough. */
export function fusedSingleLanes(code: Lowering, addend: V128, n: V128, m: V128, half: boolean): V128 {
  const high = laneBytes(8, [1, 1]);
  const part = (upper: boolean): V128 => {
    const widen = (value: V128): V128 => code.let(convertVector.promoteLow(upper ? pick(code, [value], high) : value));
    const product = code.let(f64x2.mul(widen(n), widen(m)));
    return convertVector.demote(sumRoundedToOdd(code, f64x2, product, widen(addend)));
  };
  const low = part(false);
  return half ? low : pick(code, [code.let(low), code.let(part(true))], laneBytes(8, [0, 2]));
}

/**
 * Lanes of singles that are halves: their product is exact, and the sum is rounded to odd, so that rounding to half
 * rounds once.
 */
export function fusedHalfLanes(code: Lowering, addend: V128, n: V128, m: V128): V128 {
  return sumRoundedToOdd(code, f32x4, code.let(f32x4.mul(n, m)), addend);
}

/** The same for a scalar; also of halves. */
export function fusedHalf(code: Lowering, addend: F32, n: F32, m: F32): F32 {
  const [a, first, second] = [addend, n, m].map((operand) => code.let(v128.splatF32(operand)));
  if (a === undefined || first === undefined || second === undefined) return addend;
  return f32.reinterpret(i32.wrap(v128.extractI64(fusedHalfLanes(code, a, first, second), 0)));
}

/** `n * m` exactly, as the sum of two numbers (Dekker); the exponents of the factors must be moderate. */
function twoProduct(code: Lowering, n: F64, m: F64): { product: F64; lost: F64 } {
  const split = (value: F64): { high: F64; low: F64 } => {
    const scaled = code.let(f64.mul(value, f64.const(2 ** 27 + 1)));
    const high = code.let(f64.sub(scaled, f64.sub(scaled, value)));
    return { high, low: code.let(f64.sub(value, high)) };
  };
  const a = split(n);
  const b = split(m);
  const product = code.let(f64.mul(n, m));
  const first = f64.sub(f64.mul(a.high, b.high), product);
  const cross = f64.add(f64.add(first, f64.mul(a.high, b.low)), f64.mul(a.low, b.high));
  return { product, lost: code.let(f64.add(cross, f64.mul(a.low, b.low))) };
}

function biasedExponent(value: F64): I32 {
  return i32.and(i32.wrap(i64.shrU(i64.reinterpretF64(value), i64.const(52n))), i32.const(0x7ff));
}

/** Whether a number is finite, nonzero and has an exponent of at most `reach` in magnitude. */
function isModerate(value: F64, reach: number): I32 {
  return i32.leU(i32.sub(biasedExponent(value), i32.const(1023 - reach)), i32.const(2 * reach));
}

/**
 * `addend + n * m`, all of them locals.
 *
 * @returns also whether the result is right: the exponents are such that nothing overflows or loses bits to denormals
 */
export function fusedDouble(code: Lowering, addend: F64, n: F64, m: F64): { value: F64; right: I32 } {
  const isZero = (value: F64): I32 => f64.eq(value, f64.const(0));
  const fits = (value: F64, reach: number): I32 => i32.or(isModerate(value, reach), isZero(value));
  const right = i32.and(i32.and(fits(n, 450), fits(m, 450)), fits(addend, 900));
  const { product, lost } = twoProduct(code, n, m);
  const inner = twoSum(code, addend, lost);
  const outer = twoSum(code, product, inner.sum);
  const rest = twoSum(code, inner.lost, outer.lost);
  const fused = f64.add(outer.sum, roundedToOdd(code, rest.sum, rest.lost));
  // The sign of a zero is lost with the terms above.
  const value = f64.select(i32.or(isZero(n), isZero(m)), f64.add(product, addend), fused);
  return { value: code.let(value), right: code.let(right) };
}
