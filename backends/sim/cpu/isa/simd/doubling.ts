import type { Lowering } from '../lowering.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { integerShape, wideningFrom } from '../../wasm/lane-shapes.ts';
import { saturatingAdd, smallest } from './saturation.ts';
import { narrowBytes, pick, saturated, type Kept, type Size } from './vector.ts';

/** SQDMULH and SQRDMULH: the high halves of doubled products. Sizes 1 and 2. */
export function doublingHigh(code: Lowering, size: Size, kept: Kept, rounding: boolean, a: V128, b: V128): V128 {
  const shape = integerShape(size);
  const wide = integerShape(size + 1);
  const widening = wideningFrom(size);
  const high = (upper: boolean): V128 => {
    const product = widening.multiply(true, upper, a, b);
    const rounded = rounding ? wide.add(product, wide.all(1n << BigInt(shape.bits - 2))) : product;
    return wide.shrS(rounded, i32.const(shape.bits - 1));
  };
  const halves = code.let(pick(code, [high(false), high(true)], narrowBytes(shape.bytes)));
  // The only doubled product that overflows is the most negative number times itself.
  const least = smallest(shape);
  const overflow = code.let(v128.and(shape.eq(a, least), shape.eq(b, least)));
  saturated(code, overflow, kept);
  return v128.xor(halves, overflow);
}

/** Doubled products of half the lanes, in lanes of `size` + 1 (SQDMULL). */
export function doublingLong(code: Lowering, size: Size, kept: Kept, high: boolean, a: V128, b: V128): V128 {
  const product = code.let(wideningFrom(size).multiply(true, high, a, b));
  return saturatingAdd(code, size + 1, kept, true, product, product);
}
