import type { Lowering } from '../lowering.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import { convertVector, f32x4, integerShape, wideningFrom } from '../../wasm/lane-shapes.ts';
import type { Exactly } from './exactness.ts';
import { FORMAT_BOUNDS } from './float-width.ts';
import { atHalf, saturatedLanes } from './half.ts';
import type { Kept } from './vector.ts';

/** A lowering for halves, of a register that is a local. */
export type HalfUnary = (code: Lowering, kept: Kept, n: V128, exactly: Exactly) => void;

/**
 * Conversion of halves to integers.
 *
 * @param change scales without rounding; then `toWhole` rounds
 */
export function halvesToIntegers(
  signed: boolean,
  toWhole: (code: Lowering, value: V128) => V128,
  change: (value: V128) => V128 = (value) => value,
): HalfUnary {
  return (code, kept, n, exactly) => {
    atHalf(
      code,
      kept,
      [n],
      exactly,
      (_, _addend, wide = n) => {
        const number = code.let(change(wide));
        const whole = code.let(toWhole(code, number));
        const right = code.let(
          signed
            ? f32x4.gt(f32x4.all(2 ** 15), f32x4.abs(whole))
            : v128.and(f32x4.ge(whole, f32x4.all(0)), f32x4.gt(f32x4.all(2 ** 16), whole)),
        );
        const exact = (): V128 => v128.and(right, f32x4.eq(number, whole));
        return { value: convertVector.truncSatF32S(whole), right, inexact: true, exact };
      },
      { narrow: (_, value) => saturatedLanes(code, signed, value) },
    );
  };
}

/** Conversion of 16-bit integers, which are exact singles until `change` scales and the result is rounded. */
export function halvesFromIntegers(signed: boolean, change: (value: V128) => V128 = (value) => value): HalfUnary {
  return (code, kept, n, exactly) => {
    atHalf(
      code,
      kept,
      [n],
      exactly,
      (_, _addend, wide = n) => {
        const words = integerShape(2);
        const value = code.let(change(convertVector.fromI32S(wide)));
        const { limit, least } = FORMAT_BOUNDS.half;
        const magnitude = code.let(f32x4.abs(value));
        const normal = v128.or(f32x4.gt(magnitude, f32x4.all(least)), f32x4.eq(magnitude, f32x4.all(0)));
        const right = code.let(v128.and(f32x4.gt(f32x4.all(limit), magnitude), normal));
        const exact = (): V128 => v128.and(right, words.gtS(words.all(2049n), words.abs(wide)));
        return { value, right, inexact: true, exact };
      },
      { widen: (_, value, high) => wideningFrom(1).extend(signed, high, value) },
    );
  };
}
