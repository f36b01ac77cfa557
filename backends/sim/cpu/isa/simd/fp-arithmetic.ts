import type { Lowering } from '../lowering.ts';
import { f64, i64, v128, type V128 } from '../../wasm/expr.ts';
import { f32x4, type FloatShape } from '../../wasm/lane-shapes.ts';
import { writeRight, type Computed, type Exactly } from './exactness.ts';
import { finiteLanes, floatShape, FORMAT_BOUNDS, normalLanes, type FormatBounds } from './float-width.ts';
import { fusedDouble, fusedHalfLanes, fusedSingleLanes } from './fused.ts';
import { atHalf } from './half.ts';
import type { Kept, Size } from './vector.ts';

/** Arithmetic and comparisons of lanes, and where generated code computes them as the exact unit does. */

export interface Operands {
  readonly code: Lowering;
  readonly shape: FloatShape;
  /** Those of the format, which is half precision where singles are halves. */
  readonly bounds: FormatBounds;
  readonly kept: Kept;
  readonly n: V128;
  readonly m: V128;
  /** The old value of the destination. */
  readonly addend: () => V128;
}

export type Binary = (operands: Operands) => Computed;

export function boundsOf(size: Size): FormatBounds {
  return size === 1 ? FORMAT_BOUNDS.half : size === 3 ? FORMAT_BOUNDS.double : FORMAT_BOUNDS.single;
}

/** A sum, or a difference, which is exact where it is denormal. */
export function sum(negative: boolean): Binary {
  return ({ code, shape, bounds, n, m }) => {
    const second = negative ? code.let(shape.neg(m)) : m;
    const value = code.let(shape.add(n, second));
    const computed = { value, right: finiteLanes(shape, value, bounds), inexact: true };
    return bounds === FORMAT_BOUNDS.half
      ? computed
      : { ...computed, exact: () => code.areSums(shape.bytes, n, second, value) };
  };
}

/** Lanes that are zero because a factor is: of halves, no others are known to be exact. */
function zeroProducts(shape: FloatShape, n: V128, m: V128, products: V128): V128 {
  const eitherIsZero = v128.or(shape.eq(n, shape.all(0)), shape.eq(m, shape.all(0)));
  const isProduct = v128.and(shape.eq(products, shape.all(0)), shape.eq(shape.mul(n, m), products));
  return v128.and(eitherIsZero, isProduct);
}

export const product: Binary = ({ code, shape, bounds, n, m }) => {
  const value = code.let(shape.mul(n, m));
  const exact = (): V128 =>
    bounds === FORMAT_BOUNDS.half ? zeroProducts(shape, n, m, value) : code.areProducts(shape.bytes, n, m, value);
  return { value, right: normalLanes(shape, value, bounds), inexact: true, exact };
};

export const quotient: Binary = ({ code, shape, bounds, n, m }) => {
  const value = code.let(shape.div(n, m));
  const exact = (): V128 =>
    bounds === FORMAT_BOUNDS.half ? zeroProducts(shape, value, m, n) : code.areProducts(shape.bytes, value, m, n);
  return { value, right: normalLanes(shape, value, bounds), inexact: true, exact };
};

/** FMAX and FMIN; also FMAXNM and FMINNM, which are the same without NaNs. */
export function extremum(operation: (shape: FloatShape) => (a: V128, b: V128) => V128): Binary {
  return ({ code, shape, n, m }) => {
    const value = code.let(operation(shape)(n, m));
    return { value, right: shape.eq(value, value), inexact: false };
  };
}

export function comparison(compare: (operands: Operands) => V128): Binary {
  return (operands) => {
    const { shape, n, m } = operands;
    const right = v128.and(shape.eq(n, n), shape.eq(m, m));
    return { value: compare(operands), right, inexact: false };
  };
}

export const absoluteDifference: Binary = (operands) => {
  const computed = sum(true)(operands);
  return { ...computed, value: operands.shape.abs(computed.value) };
};

/** Vd plus the products of Vn, negated or not, and Vm. Both factors are locals. */
export function multiplyAdd(negative: boolean): Binary {
  return ({ code, shape, bounds, kept, n: factor, m, addend: read }) => {
    const addend = code.let(read());
    const n = negative ? code.let(shape.neg(factor)) : factor;
    const fused =
      shape.bytes === 8
        ? fusedDoubleLanes(code, addend, n, m, kept)
        : bounds === FORMAT_BOUNDS.half
          ? fusedHalfLanes(code, addend, n, m)
          : fusedSingleLanes(code, addend, n, m, kept <= 8);
    const value = code.let(fused);
    const exact = (): V128 => {
      const products = code.let(shape.mul(n, m));
      if (bounds === FORMAT_BOUNDS.half) {
        return v128.and(zeroProducts(shape, n, m, products), shape.eq(value, addend));
      }
      return v128.and(
        code.areProducts(shape.bytes, n, m, products),
        code.areSums(shape.bytes, products, addend, value),
      );
    };
    return { value, right: normalLanes(shape, value, bounds), inexact: true, exact };
  };
}

/** Lanes for which `fusedDouble` is not right are infinite. */
function fusedDoubleLanes(code: Lowering, addend: V128, n: V128, m: V128, kept: Kept): V128 {
  const lane = (value: V128, index: number) => code.let(f64.reinterpret(v128.extractI64(value, index)));
  const results = Array.from({ length: kept / 8 }, (_, index) => {
    const { value, right } = fusedDouble(code, lane(addend, index), lane(n, index), lane(m, index));
    return code.let(f64.select(right, value, f64.const(Infinity)));
  });
  const [low, high] = results;
  const first = v128.splatF64(low ?? f64.const(0));
  return high === undefined ? first : v128.replaceI64(first, 1, i64.reinterpretF64(high));
}

/** Writes what a lowering computes of elements of a size; the operands are locals. */
export function atSize(
  code: Lowering,
  size: Size,
  kept: Kept,
  n: V128,
  m: V128,
  lower: Binary,
  exactly: Exactly,
): void {
  const bounds = boundsOf(size);
  if (size > 1) {
    const addend = (): V128 => code.q('d');
    const computed = lower({ code, shape: floatShape(size - 2), bounds, kept, n, m, addend });
    return writeRight(code, kept, computed, exactly);
  }
  atHalf(code, kept, [n, m], exactly, (part, addend, wideN = n, wideM = m) =>
    lower({ code: part, shape: f32x4, bounds, kept: 16, n: wideN, m: wideM, addend }),
  );
}
