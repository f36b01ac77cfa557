import type { Lowering } from '../lowering.ts';
import { f32, i32, i64, v128, v128Binary, type F32, type V128 } from '../../wasm/expr.ts';
import { f32x4, integerShape, wideningFrom } from '../../wasm/lane-shapes.ts';
import { ifRight, type Computed, type Exactly } from './exactness.ts';
import { write, type Kept } from './vector.ts';

/**
 * Half precision, which WebAssembly lacks: operands are widened to single precision, which is exact and keeps the bits
 * of NaNs, and results are rounded back. Single precision has more than twice the bits, so for addition, subtraction,
 * multiplication, division and square root rounding twice is the same as rounding once (Figueroa, When is double
 * rounding innocuous?, 1995). Other operations must be exact, or rounded to odd, in single precision.
 */

const words = integerShape(2);

/** Bits of a single with the fraction of a half, and what takes its exponent to that of the single. */
const REBIAS = 112n << 23n;
const INFINITY_IN_PLACE = 0x1fn << 23n;

/** The low or high four lanes of a local as singles. */
export function widened(code: Lowering, halves: V128, high: boolean): V128 {
  const bits = code.let(wideningFrom(1).extend(false, high, halves));
  const magnitude = code.let(words.shl(v128.and(bits, words.all(0x7fffn)), i32.const(13)));
  const sign = words.shl(v128.and(bits, words.all(0x8000n)), i32.const(16));
  const special = v128.and(words.geS(magnitude, words.all(INFINITY_IN_PLACE)), words.all(REBIAS));
  const normal = words.add(words.add(magnitude, words.all(REBIAS)), special);
  // The fraction of a denormal is that of a number with the lowest exponent, less its hidden bit.
  const smallest = f32x4.all(2 ** -14);
  const denormal = f32x4.sub(v128.or(magnitude, smallest), smallest);
  const isDenormal = words.gtS(words.all(1n << 23n), magnitude);
  return code.let(v128.or(v128.bitselect(denormal, normal, isDenormal), sign));
}

/** Four singles, rounded to nearest, in the low lanes. NaNs keep the upper bits of their payload. */
export function narrowed(code: Lowering, singles: V128): V128 {
  const value = code.let(singles);
  const magnitude = code.let(f32x4.abs(value));
  const odd = v128.and(words.shrU(magnitude, i32.const(13)), words.all(1n));
  const rounding = words.add(odd, words.all((1n << 32n) - REBIAS + 0xfffn));
  const normal = words.minS(words.shrS(words.add(magnitude, rounding), i32.const(13)), words.all(0x7c00n));
  // The last place of a half is that of denormals, so that the addition rounds as they do.
  const half = f32x4.all(0.5);
  const denormal = words.sub(f32x4.add(magnitude, half), half);
  const finite = v128.bitselect(denormal, normal, words.gtS(f32x4.all(2 ** -14), magnitude));
  const nan = v128.or(v128.and(words.shrU(magnitude, i32.const(13)), words.all(0x3ffn)), words.all(0x7c00n));
  const sign = v128.and(words.shrU(value, i32.const(16)), words.all(0x8000n));
  const result = code.let(v128.or(v128.bitselect(nan, finite, f32x4.ne(value, value)), sign));
  const low = [0, 1, 4, 5, 8, 9, 12, 13];
  return code.let(v128.shuffle(result, result, [...low, ...low]));
}

const narrowSigned = v128Binary(0x85);
const narrowUnsigned = v128Binary(0x86);

/** Signed 32-bit lanes, saturated to 16-bit ones. */
export function saturatedLanes(code: Lowering, signed: boolean, integers: V128): V128 {
  const value = code.let(integers);
  return code.let((signed ? narrowSigned : narrowUnsigned)(value, value));
}

export function widenedScalar(code: Lowering, halves: V128): F32 {
  return code.let(f32.reinterpret(i32.wrap(v128.extractI64(widened(code, code.let(halves), false), 0))));
}

export interface HalfParts {
  /** What widens the low or high four lanes of an operand; the default is `widened`. */
  readonly widen?: (code: Lowering, value: V128, high: boolean) => V128;
  /** What narrows four lanes of a result; the default is `narrowed`. */
  readonly narrow?: (code: Lowering, value: V128) => V128;
}

/** Computes four lanes of an instruction as singles. */
export type HalfLowering = (code: Lowering, addend: () => V128, ...operands: V128[]) => Computed;

/**
 * Applies a lowering of singles to halves, four lanes at a time.
 *
 * @param operands locals
 * @param kept bytes of halves
 */
export function atHalf(
  code: Lowering,
  kept: Kept,
  operands: readonly V128[],
  exactly: Exactly,
  lower: HalfLowering,
  { widen = widened, narrow = narrowed }: HalfParts = {},
): void {
  const parts = (kept === 16 ? [false, true] : [false]).map((high) => {
    const addend = (): V128 => widen(code, code.let(code.q('d')), high);
    const computed = lower(code, addend, ...operands.map((operand) => widen(code, operand, high)));
    return { ...computed, value: code.let(computed.value), right: code.let(computed.right) };
  });
  const use = (): void => {
    const [low, high] = parts.map(({ value }) => narrow(code, value));
    if (low === undefined) return;
    write(code, high === undefined ? low : v128.shuffle(low, high, HALVES), kept);
  };
  ifRight(code, parts, kept < 8 ? 4 : 16, use, exactly);
}

const HALVES = Array.from({ length: 16 }, (_, at) => (at < 8 ? at : at + 8));

/** The bits of the lowest lane. */
export function halfBits(code: Lowering, single: F32) {
  return i64.and(v128.extractI64(narrowed(code, v128.splatF32(single)), 0), i64.const(0xffffn));
}
