import type { Lowering } from '../lowering.ts';
import { f64, i64, v128, type I64, type V128 } from '../../wasm/expr.ts';
import { convertVector, integerShape } from '../../wasm/lane-shapes.ts';
import type { Computed } from './exactness.ts';
import { floatShape } from './float-width.ts';
import type { Kept } from './vector.ts';

/** Conversions of lanes to and from integers of the same width; WebAssembly has those of 32 bits only. */

/** Applies an operation to each 64-bit lane of a local. */
function eachLane(code: Lowering, kept: Kept, value: V128, change: (lane: I64) => I64): V128 {
  const low = v128.splatI64(change(v128.extractI64(value, 0)));
  return kept === 16 ? v128.replaceI64(code.let(low), 1, change(v128.extractI64(value, 1))) : low;
}

/**
 * @param sz 0 for 32 bits, 1 for 64
 * @param number the lanes before rounding
 * @param whole the same, rounded; both are locals
 */
export function toIntegerLanes(
  code: Lowering,
  sz: number,
  kept: Kept,
  signed: boolean,
  number: V128,
  whole: V128,
): Computed {
  const shape = floatShape(sz);
  const bits = shape.bytes * 8;
  const right = code.let(
    signed
      ? shape.gt(shape.all(2 ** (bits - 1)), shape.abs(whole))
      : v128.and(shape.ge(whole, shape.all(0)), shape.gt(shape.all(2 ** bits), whole)),
  );
  const value =
    sz === 0
      ? (signed ? convertVector.truncSatF32S : convertVector.truncSatF32U)(whole)
      : eachLane(code, kept, whole, (lane) => (signed ? i64.truncSatF64S : i64.truncSatF64U)(f64.reinterpret(lane)));
  return { value, right, inexact: true, exact: () => v128.and(right, shape.eq(number, whole)) };
}

/** @param n a local of integers, of which those with few enough bits are exact */
export function fromIntegerLanes(code: Lowering, sz: number, kept: Kept, signed: boolean, n: V128): Computed {
  const integers = integerShape(sz + 2);
  const most = 1n << (sz === 0 ? 24n : 53n);
  const value =
    sz === 0
      ? (signed ? convertVector.fromI32S : convertVector.fromI32U)(n)
      : eachLane(code, kept, n, (lane) => i64.reinterpretF64((signed ? f64.convertI64S : f64.convertI64U)(lane)));
  const exact = (): V128 =>
    signed
      ? integers.geU(integers.all(2n * most), integers.add(n, integers.all(most)))
      : integers.geU(integers.all(most), n);
  return { value, right: integers.eq(n, n), inexact: true, exact };
}
