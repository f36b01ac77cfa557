import type { Lowering } from '../lowering.ts';
import { i32, i64, v128, type I64 } from '../../wasm/expr.ts';
import { saturated, lanewise, signExtended, type Kept, type Size } from './vector.ts';

const ZERO = i64.const(0n);
const ONE = i64.const(1n);

/**
 * SSHL, USHL and their rounding and saturating forms: each element of Vn is shifted left by the signed low byte of Vm's
 * element; a negative amount shifts right.
 */
export function shiftByRegister(
  code: Lowering,
  size: Size,
  kept: Kept,
  signed: boolean,
  rounding: boolean,
  saturating: boolean,
): void {
  lanewise(code, size, kept, ({ bits, read }) => {
    const value = code.let(read('n', signed));
    const by = code.let(i64.extend8S(read('m', false)));
    const right = code.let(i64.sub(ZERO, by));
    return i64.select(
      i64.ltS(by, ZERO),
      shiftRight(value, right, signed, rounding),
      shiftLeft(code, value, by, bits, signed, saturating),
    );
  });
}

/**
 * @param by 1 to 128 if the result is used; smaller elements are extended to 64 bits, so one width serves all
 */
function shiftRight(value: I64, by: I64, signed: boolean, rounding: boolean): I64 {
  const shift = signed ? i64.shrS : i64.shrU;
  const inRange = i64.leU(by, i64.const(63n));
  if (!rounding) {
    return i64.select(inRange, shift(value, by), signed ? i64.shrS(value, i64.const(63n)) : ZERO);
  }
  const lastOut = i64.and(shift(value, i64.sub(by, ONE)), ONE);
  const rounded = i64.add(shift(value, by), lastOut);
  if (signed) {
    // From 64 on, rounding turns every number into zero.
    return i64.select(inRange, rounded, ZERO);
  }
  return i64.select(inRange, rounded, i64.select(i64.eq(by, i64.const(64n)), i64.shrU(value, i64.const(63n)), ZERO));
}

/** @param by 0 to 127 if the result is used */
function shiftLeft(code: Lowering, value: I64, by: I64, bits: number, signed: boolean, saturating: boolean): I64 {
  const inRange = i64.ltU(by, i64.const(BigInt(bits)));
  const shifted = code.let(i64.select(inRange, i64.shl(value, by), ZERO));
  if (!saturating) return shifted;
  const limited = signed ? signExtended(shifted, bits) : maskTo(shifted, bits);
  const back = signed ? i64.shrS(limited, by) : i64.shrU(limited, by);
  const fits = code.let(i32.or(i64.eqz(value), i32.and(inRange, i64.eq(back, value))));
  const bound = signed
    ? i64.xor(i64.shrS(value, i64.const(63n)), i64.const((1n << BigInt(bits - 1)) - 1n))
    : i64.const((1n << BigInt(bits)) - 1n);
  const overflow = i32.and(i64.geS(by, ZERO), i32.eqz(fits));
  saturated(code, v128.splatI32(overflow), 16);
  return i64.select(fits, shifted, bound);
}

function maskTo(value: I64, bits: number): I64 {
  return bits === 64 ? value : i64.and(value, i64.const((1n << BigInt(bits)) - 1n));
}
