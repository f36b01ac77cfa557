import type { Lowering } from '../lowering.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { anyTrue, type FloatShape } from '../../wasm/lane-shapes.ts';
import { VcpuState } from '../../layout.ts';
import { keep, keptMask, write, type Kept } from './vector.ts';

/**
 * NaN results. WebAssembly leaves their bits open, so every NaN that an operation returns is replaced by the one that
 * the architecture specifies (FPProcessNaNs of the Arm ARM's shared pseudocode).
 */

const state = i32.const(0);

function isNan(shape: FloatShape, value: V128): V128 {
  return shape.ne(value, value);
}

function isQuietNan(shape: FloatShape, value: V128): V128 {
  const quietBit = shape.integer.eq(v128.and(value, shape.quiet), shape.quiet);
  return v128.and(isNan(shape, value), quietBit);
}

function isSignallingNan(shape: FloatShape, value: V128): V128 {
  const quietBit = shape.integer.eq(v128.and(value, shape.quiet), shape.quiet);
  return v128.andnot(isNan(shape, value), quietBit);
}

/**
 * What lanes with a NaN result must hold: the first signalling NaN of the operands, quietened, else the first
 * quiet one; the default NaN if there is none or FPCR.DN is set.
 *
 * @param operands in the order in which the pseudocode examines them; cheap to evaluate
 */
export function nanResult(code: Lowering, shape: FloatShape, operands: readonly V128[]): V128 {
  let chosen = shape.defaultNan;
  for (const test of [isNan, isSignallingNan]) {
    for (const operand of operands.toReversed()) {
      chosen = code.let(v128.bitselect(operand, chosen, test(shape, operand)));
    }
  }
  const dn = i32.and(i32.shrU(i32.load(state, VcpuState.Fpcr), i32.const(25)), i32.const(1));
  const useDefault = v128.splatI32(i32.sub(i32.const(0), dn));
  return code.let(v128.bitselect(shape.defaultNan, v128.or(chosen, shape.quiet), useDefault));
}

/** A result with its NaNs replaced, unconditionally: for operations that are rare enough. */
export function withNans(code: Lowering, shape: FloatShape, result: V128, operands: readonly V128[]): V128 {
  const value = code.let(result);
  return v128.bitselect(nanResult(code, shape, operands), value, isNan(shape, value));
}

/**
 * Writes a result to the destination; its NaNs, if there are any, are replaced.
 *
 * @param nan computes what NaN lanes hold; the default is `nanResult` of the operands
 * @param finish is applied to the result last, NaN or not
 */
export function writeFloat(
  code: Lowering,
  shape: FloatShape,
  kept: Kept,
  result: V128,
  nan: () => V128,
  finish: (value: V128) => V128 = (value) => value,
): void {
  const value = code.let(result);
  const wrong = code.let(keep(isNan(shape, value), kept));
  code.if(
    anyTrue(wrong),
    () => {
      write(code, finish(v128.bitselect(nan(), value, wrong)), kept);
    },
    () => {
      write(code, finish(value), kept);
    },
  );
}

/**
 * Operands of FPMaxNum or FPMinNum: if one is a quiet NaN and the other a number, both become the number.
 */
export function numbersPreferred(code: Lowering, shape: FloatShape, n: V128, m: V128): { n: V128; m: V128 } {
  const takeM = v128.andnot(isQuietNan(shape, n), isNan(shape, m));
  const takeN = v128.andnot(isQuietNan(shape, m), isNan(shape, n));
  return { n: code.let(v128.bitselect(m, n, takeM)), m: code.let(v128.bitselect(n, m, takeN)) };
}

/** What NaN lanes of `addend + n * m` hold. */
export function fusedNan(code: Lowering, shape: FloatShape, addend: V128, n: V128, m: V128): V128 {
  // An invalid product (infinity times zero) takes precedence over a quiet NaN as addend.
  const product = code.let(shape.mul(n, m));
  const numbers = v128.not(v128.or(isNan(shape, n), isNan(shape, m)));
  const invalid = v128.and(v128.and(isNan(shape, product), numbers), isQuietNan(shape, addend));
  const first = code.let(v128.bitselect(shape.defaultNan, addend, invalid));
  return nanResult(code, shape, [first, n, m]);
}

/** The sign bits of the kept lanes. */
export function signBits(shape: FloatShape, kept: Kept): V128 {
  return v128.and(shape.integer.all(1n << BigInt(shape.bytes * 8 - 1)), keptMask(kept));
}
