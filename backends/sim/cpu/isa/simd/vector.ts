import { parseEncoding } from '../encoding.ts';
import type { Decoded, Definition } from '../definition.ts';
import type { Lowering, RegisterOperand } from '../lowering.ts';
import { i32, i64, v128, type I64, type V128 } from '../../wasm/expr.ts';
import { anyTrue, integerShape, type IntegerShape } from '../../wasm/lane-shapes.ts';
import { VcpuState } from '../../layout.ts';

/** Helpers that the definitions of SIMD instructions share. */

const state = i32.const(0);

/**
 * Size of a result in bytes, from the bottom of the register; the rest becomes zero. 8 or 16 for vectors, by Q; the
 * element's size for scalars, which are computed as vectors of which one element is kept.
 */
export type Kept = number;

/** log2 of an element's size in bytes, as in the `size` field of most encodings. */
export type Size = number;

export function keptByQ(Q: number): Kept {
  return Q === 1 ? 16 : 8;
}

/** One row of a family of encodings that differ only in fixed bits; `F` lists the pattern's fields. */
export function row<F extends string>(
  name: string,
  pattern: string,
  decode: (fields: Readonly<Record<F, number>>) => Decoded | undefined,
  lower: (code: Lowering, ...variant: number[]) => void,
): Definition {
  const encoding = parseEncoding(pattern);
  return {
    name,
    encoding,
    flow: 'next',
    usesPc: false,
    // Safe if F lists fields of the pattern: the callers are families whose patterns are beside that list.
    decode: (word) => decode(encoding.fields(word) as Record<F, number>),
    lower: (code, variant) => {
      lower(code, ...variant);
    },
  };
}

/** A mask of the low `kept` bytes. */
export function keptMask(kept: Kept): V128 {
  return v128.const(Array.from({ length: 16 }, (_, at) => (at < kept ? 0xff : 0)));
}

export const zeroVector: V128 = v128.const(Array.from({ length: 16 }, () => 0));

export function keep(value: V128, kept: Kept): V128 {
  return kept === 16 ? value : v128.and(value, keptMask(kept));
}

/** Writes the destination: the low bytes of a value, and zeros above. */
export function write(code: Lowering, value: V128, kept: Kept): void {
  code.setQ('d', keep(value, kept));
}

/** Writes 64 bits: to the low half with zeros above, or to the high half only, for instructions named with a 2. */
export function writeHalf(code: Lowering, value: V128, high: boolean): void {
  if (high) code.setElement('d', 8, 1, v128.extractI64(value, 0));
  else write(code, value, 8);
}

/** Sets FPSR.QC if any of the kept bits of a mask is set: those of saturated elements. */
export function saturated(code: Lowering, mask: V128, kept: Kept): void {
  const qc = i32.shl(anyTrue(keep(mask, kept)), i32.const(27));
  code.emit(i32.store(state, i32.or(i32.load(state, VcpuState.Fpsr), qc), VcpuState.Fpsr));
}

/** A vector of bytes picked from several vectors, which are numbered in sequence; undefined picks a zero. */
export function pick(code: Lowering, sources: readonly V128[], bytes: readonly (number | undefined)[]): V128 {
  const [first = zeroVector, ...rest] = sources;
  const ZERO_LANE = 16;
  let result = first;
  let filled = bytes.map((at) => (at !== undefined && at < 16 ? at : undefined));
  for (const [index, source] of rest.entries()) {
    const from = (index + 1) * 16;
    const place = index === 0 ? filled : filled.map((at, lane) => (at === undefined ? undefined : lane));
    const lanes = bytes.map((at, lane) =>
      at !== undefined && at >= from && at < from + 16 ? at - from + 16 : (place[lane] ?? 0),
    );
    filled = bytes.map((at) => (at !== undefined && at < from + 16 ? at : undefined));
    result = code.let(v128.shuffle(result, source, lanes));
  }
  const single = rest.length === 0;
  if (!single && !bytes.includes(undefined)) return result;
  const lanes = bytes.map((at, lane) => (at === undefined ? ZERO_LANE : single ? at : lane));
  return v128.shuffle(result, zeroVector, lanes);
}

/** Byte numbers of lanes of `bytes`, for `pick`. */
export function laneBytes(bytes: number, lanes: readonly number[]): number[] {
  return lanes.flatMap((lane) => Array.from({ length: bytes }, (_, at) => lane * bytes + at));
}

/** Byte numbers of the low halves of the lanes of two vectors, for `pick`: what narrowing keeps. */
export function narrowBytes(bytes: number): number[] {
  return laneBytes(
    bytes,
    Array.from({ length: 16 / bytes }, (_, lane) => lane * 2),
  );
}

export function signExtended(value: I64, bits: number): I64 {
  if (bits === 64) return value;
  if (bits === 32) return i64.extend32S(value);
  return bits === 16 ? i64.extend16S(value) : i64.extend8S(value);
}

/** One lane of the operands, as unsigned or signed 64-bit values. */
export interface Lane {
  readonly bits: number;
  read(operand: RegisterOperand, signed: boolean): I64;
}

/**
 * An instruction without an equivalent in WebAssembly, lane by lane. Each lane reads only its own lanes, so the
 * destination may also be a source.
 */
export function lanewise(code: Lowering, size: Size, kept: Kept, result: (lane: Lane) => I64): void {
  const { bytes, bits } = integerShape(size);
  const lanes = kept / bytes;
  for (let index = 0; index < lanes; index += 1) {
    const lane: Lane = {
      bits,
      read: (operand, signed) => {
        const value = code.element(operand, bytes, index);
        return signed ? signExtended(value, bits) : value;
      },
    };
    const value = result(lane);
    if (kept >= 8) code.setElement('d', bytes, index, value);
    else code.setElement('d', 8, 0, i64.and(value, i64.const((1n << BigInt(bits)) - 1n)));
  }
  if (kept <= 8) code.setElement('d', 8, 1, i64.const(0n));
}

/** The operands of a row's lowering. */
export interface VectorOperands {
  readonly code: Lowering;
  readonly size: Size;
  readonly kept: Kept;
  readonly shape: IntegerShape;
  readonly n: V128;
  readonly m: V128;
}
