import type { Lowering } from '../lowering.ts';
import type { V128 } from '../../wasm/expr.ts';
import { convertVector, wideningFrom } from '../../wasm/lane-shapes.ts';
import { atHalf, saturatedLanes } from './half.ts';
import { write, type Kept } from './vector.ts';

/** A lowering for halves, of a register that is a local. */
export type HalfUnary = (code: Lowering, kept: Kept, n: V128) => void;

/** Conversion of halves to integers, after `change`. Those of 32 bits are large enough for any half. */
export function halvesToIntegers(signed: boolean, change: (code: Lowering, value: V128) => V128): HalfUnary {
  return (code, kept, n) => {
    atHalf(
      code,
      kept,
      [n],
      (part, wideKept, wide = n) => {
        write(part, convertVector.truncSatF32S(change(code, wide)), wideKept);
      },
      { narrow: (_, value) => saturatedLanes(code, signed, value) },
    );
  };
}

/** Conversion of 16-bit integers, which are exact singles until `change` scales and the result is rounded. */
export function halvesFromIntegers(signed: boolean, change: (value: V128) => V128 = (value) => value): HalfUnary {
  return (code, kept, n) => {
    atHalf(
      code,
      kept,
      [n],
      (part, wideKept, wide = n) => {
        write(part, change(convertVector.fromI32S(wide)), wideKept);
      },
      { widen: (_, value, high) => wideningFrom(1).extend(signed, high, value) },
    );
  };
}
