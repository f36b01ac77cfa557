import type { Lowering, RegisterOperand } from '../lowering.ts';
import { f32, f64, i32, i64, v128, type F32, type F64, type I32, type I64, type V128 } from '../../wasm/expr.ts';
import { f32x4, f64x2, type FloatShape } from '../../wasm/lane-shapes.ts';
import { halfBits, narrowed, widenedScalar } from './half.ts';
import { nanResult } from './nan.ts';
import { write } from './vector.ts';

/** Scalar floating-point operations with the same meaning in every precision. Halves are computed as singles. */

export type Float = F32 | F64;

export interface FloatWidth<T extends Float> {
  readonly bytes: 2 | 4 | 8;
  /** The vector shape whose lowest lane is the scalar that is computed with. */
  readonly shape: FloatShape;
  const(value: number): T;
  read(code: Lowering, operand: RegisterOperand): T;
  /** Clears the rest of the register. */
  write(code: Lowering, value: T): void;
  /** Writes the lowest lane. */
  writeLane(code: Lowering, value: V128): void;
  let(code: Lowering, value: T): T;
  splat(value: T): V128;
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
  bytes: 4,
  shape: f32x4,
  read: (code, operand) => code.s(operand),
  write: (code, value) => {
    code.setS('d', value);
  },
  writeLane: (code, value) => {
    write(code, value, 4);
  },
  let: (code, value) => code.let(value),
  splat: v128.splatF32,
  bits: (_code, value) => i64.extendI32U(i32.reinterpretF32(value)),
  fromBits: (_code, value) => f32.reinterpret(i32.wrap(value)),
};

const double: FloatWidth<F64> = {
  ...f64,
  bytes: 8,
  shape: f64x2,
  read: (code, operand) => code.dbl(operand),
  write: (code, value) => {
    code.setDbl('d', value);
  },
  writeLane: (code, value) => {
    write(code, value, 8);
  },
  let: (code, value) => code.let(value),
  splat: v128.splatF64,
  bits: (_code, value) => i64.reinterpretF64(value),
  fromBits: (_code, value) => f64.reinterpret(value),
};

const half: FloatWidth<F32> = {
  ...single,
  bytes: 2,
  read: (code, operand) => widenedScalar(code, code.q(operand)),
  write: (code, value) => {
    write(code, narrowed(code, v128.splatF32(value)), 2);
  },
  writeLane: (code, value) => {
    write(code, narrowed(code, value), 2);
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

/**
 * Writes a scalar result; a NaN is replaced by the one that the architecture specifies.
 *
 * @param operands in the order in which their NaNs take precedence; cheap to evaluate
 */
export function writeScalar<T extends Float>(
  code: Lowering,
  width: FloatWidth<T>,
  result: T,
  operands: readonly T[],
): void {
  const value = width.let(code, result);
  code.if(
    width.ne(value, value),
    () => {
      const vectors = operands.map((operand) => code.let(width.splat(operand)));
      width.writeLane(code, nanResult(code, width.shape, vectors));
    },
    () => {
      width.write(code, value);
    },
  );
}

/** Modes of rounding to an integer: to nearest with ties to even, up, down, toward zero, to nearest with ties away. */
export const Rounding = { Nearest: 0, Up: 1, Down: 2, Zero: 3, Away: 4 } as const;

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
