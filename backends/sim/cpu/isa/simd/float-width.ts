import type { Lowering, RegisterOperand } from '../lowering.ts';
import { f32, f64, i32, i64, v128, type F32, type F64, type I32, type I64, type V128 } from '../../wasm/expr.ts';
import { f32x4, f64x2, type FloatShape } from '../../wasm/lane-shapes.ts';
import { Rounding } from '../../float/environment.ts';
import { MODE_OF_FPCR } from '../../float/operation.ts';
import { halfBits, narrowed, widenedScalar } from './half.ts';
import { write } from './vector.ts';

/** Scalar floating-point operations with the same meaning in every precision. Halves are computed as singles. */

export type Float = F32 | F64;

/** Bounds of a format: what is computed from `limit` on is infinite, and below `least` denormal. */
export interface FormatBounds {
  readonly limit: number;
  readonly least: number;
}

export const FORMAT_BOUNDS = {
  half: { limit: 65_520, least: 2 ** -14 },
  single: { limit: Infinity, least: 2 ** -126 },
  double: { limit: Infinity, least: 2 ** -1022 },
} as const;

export interface FloatWidth<T extends Float> extends FormatBounds {
  readonly bytes: 2 | 4 | 8;
  const(value: number): T;
  read(code: Lowering, operand: RegisterOperand): T;
  /** Clears the rest of the register. */
  write(code: Lowering, value: T): void;
  let(code: Lowering, value: T): T;
  bits(code: Lowering, value: T): I64;
  fromBits(code: Lowering, value: I64): T;
  eq(a: T, b: T): I32;
  ne(a: T, b: T): I32;
  lt(a: T, b: T): I32;
  gt(a: T, b: T): I32;
  ge(a: T, b: T): I32;
  abs(a: T): T;
  neg(a: T): T;
  ceil(a: T): T;
  floor(a: T): T;
  trunc(a: T): T;
  nearest(a: T): T;
  sqrt(a: T): T;
  copysign(a: T, sign: T): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
  min(a: T, b: T): T;
  max(a: T, b: T): T;
  select(condition: I32, a: T, b: T): T;
}

const single: FloatWidth<F32> = {
  ...f32,
  ...FORMAT_BOUNDS.single,
  bytes: 4,
  read: (code, operand) => code.s(operand),
  write: (code, value) => {
    code.setS('d', value);
  },
  let: (code, value) => code.let(value),
  bits: (_code, value) => i64.extendI32U(i32.reinterpretF32(value)),
  fromBits: (_code, value) => f32.reinterpret(i32.wrap(value)),
};

const double: FloatWidth<F64> = {
  ...f64,
  ...FORMAT_BOUNDS.double,
  bytes: 8,
  read: (code, operand) => code.dbl(operand),
  write: (code, value) => {
    code.setDbl('d', value);
  },
  let: (code, value) => code.let(value),
  bits: (_code, value) => i64.reinterpretF64(value),
  fromBits: (_code, value) => f64.reinterpret(value),
};

const half: FloatWidth<F32> = {
  ...single,
  ...FORMAT_BOUNDS.half,
  bytes: 2,
  read: (code, operand) => widenedScalar(code, code.q(operand)),
  write: (code, value) => {
    write(code, narrowed(code, v128.splatF32(value)), 2);
  },
  bits: halfBits,
  fromBits: (code, value) => widenedScalar(code, v128.splatI64(value)),
};

/** Whether a `type` field selects a precision. */
export function isPrecision(type: number): boolean {
  return type !== 2;
}

/** Calls a lowering with the precision that `type` selects: 0 for single, 1 for double, 3 for half. */
export function atPrecision(type: number, lower: <T extends Float>(width: FloatWidth<T>) => void): void {
  if (type === 1) lower(double);
  else if (type === 3) lower(half);
  else lower(single);
}

export function floatShape(type: number): FloatShape {
  return type === 1 ? f64x2 : f32x4;
}

/** Whether a result is neither infinite nor NaN. */
export function isFinite<T extends Float>(width: FloatWidth<T>, value: T): I32 {
  return width.lt(width.abs(value), width.const(width.limit));
}

/** Whether it is a normal number, and not the least one, to which a smaller one may have been rounded. */
export function isNormal<T extends Float>(width: FloatWidth<T>, value: T): I32 {
  return i32.and(isFinite(width, value), width.gt(width.abs(value), width.const(width.least)));
}

function wide(value: Float): F64 {
  return value.type === 'f32' ? f64.promote(value) : value;
}

/** Whether a number is exactly the sum of two others. Of halves, it is said only of sums with zero. */
export function isSum<T extends Float>(code: Lowering, width: FloatWidth<T>, a: T, b: T, sum: T): I32 {
  if (width.bytes !== 2) return code.isSum(wide(a), wide(b), wide(sum));
  const zero = width.const(0);
  const withZero = i32.or(width.eq(a, zero), width.eq(b, zero));
  return i32.and(withZero, width.eq(width.add(a, b), sum));
}

/** The same of products. */
export function isProduct<T extends Float>(code: Lowering, width: FloatWidth<T>, a: T, b: T, product: T): I32 {
  if (width.bytes !== 2) return code.isProduct(wide(a), wide(b), wide(product));
  const zero = width.const(0);
  const withZero = i32.or(width.eq(a, zero), width.eq(b, zero));
  return i32.and(withZero, i32.and(width.eq(product, zero), width.eq(width.mul(a, b), product)));
}

/** The same of lanes. */
export function finiteLanes(shape: FloatShape, value: V128, bounds: FormatBounds): V128 {
  return shape.gt(shape.all(bounds.limit), shape.abs(value));
}

export function normalLanes(shape: FloatShape, value: V128, bounds: FormatBounds): V128 {
  return v128.and(finiteLanes(shape, value, bounds), shape.gt(shape.abs(value), shape.all(bounds.least)));
}

/**
 * The mode of rounding of a detail of the exact unit. Generated code uses its own results only while the mode in FPCR
 * is to nearest.
 */
export function generatedMode(detail: number): number {
  return (detail & 7) === MODE_OF_FPCR ? Rounding.Nearest : detail & 7;
}

export function rounded<T extends Float>(code: Lowering, width: FloatWidth<T>, value: T, rounding: number): T {
  switch (rounding) {
    case Rounding.Nearest:
      return width.nearest(value);
    case Rounding.Up:
      return width.ceil(value);
    case Rounding.Down:
      return width.floor(value);
    case Rounding.Zero:
      return width.trunc(value);
    default: {
      const n = width.let(code, value);
      const whole = width.let(code, width.trunc(n));
      const further = width.add(whole, width.copysign(width.const(1), n));
      return width.select(width.ge(width.abs(width.sub(n, whole)), width.const(0.5)), further, whole);
    }
  }
}

export function roundedLanes(code: Lowering, shape: FloatShape, value: V128, rounding: number): V128 {
  switch (rounding) {
    case Rounding.Nearest:
      return shape.nearest(value);
    case Rounding.Up:
      return shape.ceil(value);
    case Rounding.Down:
      return shape.floor(value);
    case Rounding.Zero:
      return shape.trunc(value);
    default: {
      const n = code.let(value);
      const whole = code.let(shape.trunc(n));
      const sign = shape.integer.all(1n << BigInt(shape.bytes * 8 - 1));
      const further = shape.add(whole, v128.bitselect(n, shape.all(1), sign));
      return v128.bitselect(further, whole, shape.ge(shape.abs(shape.sub(n, whole)), shape.all(0.5)));
    }
  }
}
