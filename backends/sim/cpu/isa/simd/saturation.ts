import type { Lowering } from '../lowering.ts';
import { v128, i32, type V128 } from '../../wasm/expr.ts';
import { integerShape, type IntegerShape } from '../../wasm/lane-shapes.ts';
import { saturated, zeroVector, type Kept, type Size } from './vector.ts';

/** Saturating arithmetic (SatQ of the Arm ARM's shared pseudocode), which sets FPSR.QC. */

export function largest(shape: IntegerShape, signed: boolean): V128 {
  return shape.all((1n << BigInt(signed ? shape.bits - 1 : shape.bits)) - 1n);
}

export function smallest(shape: IntegerShape): V128 {
  return shape.all(1n << BigInt(shape.bits - 1));
}

/** The sign of each lane in all of its bits. */
export function signs(shape: IntegerShape, value: V128): V128 {
  return shape.shrS(value, i32.const(shape.bits - 1));
}

/** The bound for lanes that overflowed: the most negative number if `like` is negative, else the largest. */
function boundLike(shape: IntegerShape, like: V128): V128 {
  return v128.xor(signs(shape, like), largest(shape, true));
}

export function saturatingAdd(code: Lowering, size: Size, kept: Kept, signed: boolean, a: V128, b: V128): V128 {
  const shape = integerShape(size);
  const sum = code.let(shape.add(a, b));
  if (signed) {
    const overflow = code.let(signs(shape, v128.and(v128.xor(a, sum), v128.xor(b, sum))));
    saturated(code, overflow, kept);
    return v128.bitselect(boundLike(shape, a), sum, overflow);
  }
  const overflow = code.let(shape.gtU(a, sum));
  saturated(code, overflow, kept);
  return v128.or(sum, overflow);
}

export function saturatingSub(code: Lowering, size: Size, kept: Kept, signed: boolean, a: V128, b: V128): V128 {
  const shape = integerShape(size);
  const difference = code.let(shape.sub(a, b));
  if (signed) {
    const overflow = code.let(signs(shape, v128.and(v128.xor(a, b), v128.xor(a, difference))));
    saturated(code, overflow, kept);
    return v128.bitselect(boundLike(shape, a), difference, overflow);
  }
  const overflow = code.let(shape.gtU(b, a));
  saturated(code, overflow, kept);
  return v128.andnot(difference, overflow);
}

/** SUQADD: a signed accumulator plus an unsigned number. */
export function signedPlusUnsigned(code: Lowering, size: Size, kept: Kept, a: V128, b: V128): V128 {
  const shape = integerShape(size);
  const sum = code.let(shape.add(a, b));
  const overflow = code.let(shape.gtS(a, sum));
  saturated(code, overflow, kept);
  return v128.bitselect(largest(shape, true), sum, overflow);
}

/** USQADD: an unsigned accumulator plus a signed number. */
export function unsignedPlusSigned(code: Lowering, size: Size, kept: Kept, a: V128, b: V128): V128 {
  const shape = integerShape(size);
  const sum = code.let(shape.add(a, b));
  const negative = code.let(signs(shape, b));
  const above = code.let(v128.andnot(shape.gtU(a, sum), negative));
  const below = code.let(v128.and(shape.gtU(sum, a), negative));
  saturated(code, v128.or(above, below), kept);
  return v128.andnot(v128.or(sum, above), below);
}

/** Shifts all lanes left by the same amount; unsigned results of signed values are those of SQSHLU. */
export function saturatingShl(
  code: Lowering,
  size: Size,
  kept: Kept,
  form: 'signed' | 'unsigned' | 'signed to unsigned',
  a: V128,
): V128 {
  const shape = integerShape(size);
  const by = code.low();
  if (form === 'signed') {
    const shifted = code.let(shape.shl(a, by));
    const same = code.let(shape.eq(shape.shrS(shifted, by), a));
    saturated(code, v128.not(same), kept);
    return v128.bitselect(shifted, boundLike(shape, a), same);
  }
  const negative = form === 'unsigned' ? zeroVector : code.let(signs(shape, a));
  const positive = code.let(v128.andnot(a, negative));
  const shifted = code.let(shape.shl(positive, by));
  const lost = code.let(v128.not(shape.eq(shape.shrU(shifted, by), positive)));
  saturated(code, v128.or(lost, negative), kept);
  return v128.or(shifted, lost);
}

/** How a saturating narrowing interprets its operand and bounds its result. */
export const Narrowing = { Truncate: 0, Signed: 1, Unsigned: 2, SignedToUnsigned: 3 } as const;

/**
 * Bounds lanes to the range of half their width, without narrowing them.
 *
 * @param wide log2 bytes of the lanes
 * @param kept bytes of the result once narrowed
 */
export function bounded(code: Lowering, wide: Size, kept: Kept, narrowing: number, value: V128): V128 {
  if (narrowing === Narrowing.Truncate) return value;
  const shape = integerShape(wide);
  const half = BigInt(shape.bits / 2);
  const a = code.let(value);
  let result: V128;
  if (narrowing === Narrowing.Unsigned) {
    result = shape.minU(a, shape.all((1n << half) - 1n));
  } else {
    const toSigned = narrowing === Narrowing.Signed;
    const top = shape.all((1n << (toSigned ? half - 1n : half)) - 1n);
    const bottom = toSigned ? shape.all(-(1n << (half - 1n))) : zeroVector;
    result = shape.maxS(code.let(shape.minS(a, top)), bottom);
  }
  const bound = code.let(result);
  saturated(code, v128.xor(bound, a), kept * 2);
  return bound;
}
