import { i32, v128, v128Binary, v128Shift, v128ToI32, v128Unary, type I32, type I64, type V128 } from './expr.ts';

/** Vector operations by lane shape, with the names of the WebAssembly specification. */

type Unary = (a: V128) => V128;
type Binary = (a: V128, b: V128) => V128;
type Shift = (a: V128, by: I32) => V128;

/** Integer lanes of one width. Operands that an operation evaluates twice must be cheap: locals or constants. */
export interface IntegerShape {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly bits: number;
  readonly lanes: number;
  /** The same constant in all lanes. */
  all(value: bigint): V128;
  /** The low bits of a value in all lanes. */
  splat(value: I64): V128;
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly shl: Shift;
  readonly shrS: Shift;
  readonly shrU: Shift;
  readonly eq: Binary;
  readonly gtS: Binary;
  readonly gtU: Binary;
  readonly geS: Binary;
  readonly geU: Binary;
  readonly minS: Binary;
  readonly minU: Binary;
  readonly maxS: Binary;
  readonly maxU: Binary;
  readonly abs: Unary;
  readonly neg: Unary;
}

/** A constant that repeats `value` in lanes of `bytes`. */
function constant(bytes: number, value: bigint): V128 {
  return v128.const(Array.from({ length: 16 }, (_, at) => Number((value >> BigInt((at % bytes) * 8)) & 0xffn)));
}

/** Opcodes of comparisons have the same order for 8, 16 and 32 bits: eq, ne, lt_s, lt_u, gt_s, gt_u, le_s and so on. */
function comparisons(eq: number) {
  return {
    eq: v128Binary(eq),
    gtS: v128Binary(eq + 4),
    gtU: v128Binary(eq + 5),
    geS: v128Binary(eq + 8),
    geU: v128Binary(eq + 9),
  };
}

/** Opcodes in this order: min_s, min_u, max_s, max_u. */
function extrema(minS: number) {
  return {
    minS: v128Binary(minS),
    minU: v128Binary(minS + 1),
    maxS: v128Binary(minS + 2),
    maxU: v128Binary(minS + 3),
  };
}

/** Opcodes in this order: shl, shr_s, shr_u. */
function shifts(shl: number) {
  return { shl: v128Shift(shl), shrS: v128Shift(shl + 1), shrU: v128Shift(shl + 2) };
}

const i16Mul = v128Binary(0x95);
const EVEN_BYTES = Array.from({ length: 16 }, (_, at) => at * 2);

const i8x16: IntegerShape = {
  bytes: 1,
  bits: 8,
  lanes: 16,
  all: (value) => constant(1, value),
  splat: (value) => v128.splatI8(i32.wrap(value)),
  add: v128Binary(0x6e),
  sub: v128Binary(0x71),
  // There is no i8x16.mul: combine the low bytes of the 16-bit products of both halves.
  mul: (a, b) => {
    const half = (extend: Unary): V128 => i16Mul(extend(a), extend(b));
    return v128.shuffle(half(v128Unary(0x89)), half(v128Unary(0x8a)), EVEN_BYTES);
  },
  ...shifts(0x6b),
  ...comparisons(0x23),
  ...extrema(0x76),
  abs: v128Unary(0x60),
  neg: v128Unary(0x61),
};

const i16x8: IntegerShape = {
  bytes: 2,
  bits: 16,
  lanes: 8,
  all: (value) => constant(2, value),
  splat: (value) => v128.splatI16(i32.wrap(value)),
  add: v128Binary(0x8e),
  sub: v128Binary(0x91),
  mul: i16Mul,
  ...shifts(0x8b),
  ...comparisons(0x2d),
  ...extrema(0x96),
  abs: v128Unary(0x80),
  neg: v128Unary(0x81),
};

const i32x4: IntegerShape = {
  bytes: 4,
  bits: 32,
  lanes: 4,
  all: (value) => constant(4, value),
  splat: (value) => v128.splatI32(i32.wrap(value)),
  add: v128Binary(0xae),
  sub: v128Binary(0xb1),
  mul: v128Binary(0xb5),
  ...shifts(0xab),
  ...comparisons(0x37),
  ...extrema(0xb6),
  abs: v128Unary(0xa0),
  neg: v128Unary(0xa1),
};

const gtS64 = v128Binary(0xd9);
const geS64 = v128Binary(0xdb);
const SIGNS = constant(8, 1n << 63n);
/** Adding 2^63 turns an unsigned comparison into a signed one. */
function biased(compare: Binary): Binary {
  return (a, b) => compare(v128.xor(a, SIGNS), v128.xor(b, SIGNS));
}
const gtU64 = biased(gtS64);

const i64x2: IntegerShape = {
  bytes: 8,
  bits: 64,
  lanes: 2,
  all: (value) => constant(8, value),
  splat: (value) => v128.splatI64(value),
  add: v128Binary(0xce),
  sub: v128Binary(0xd1),
  mul: v128Binary(0xd5),
  ...shifts(0xcb),
  eq: v128Binary(0xd6),
  gtS: gtS64,
  geS: geS64,
  gtU: gtU64,
  geU: biased(geS64),
  minS: (a, b) => v128.bitselect(b, a, gtS64(a, b)),
  minU: (a, b) => v128.bitselect(b, a, gtU64(a, b)),
  maxS: (a, b) => v128.bitselect(a, b, gtS64(a, b)),
  maxU: (a, b) => v128.bitselect(a, b, gtU64(a, b)),
  abs: v128Unary(0xc0),
  neg: v128Unary(0xc1),
};

const integerShapes = [i8x16, i16x8, i32x4, i64x2] as const;

/** @param size log2 of the lane's bytes, as the `size` field of most encodings */
export function integerShape(size: number): IntegerShape {
  return integerShapes[size] ?? i64x2;
}

/** Widens lanes to twice their width: the low or the high half of a vector's lanes. */
export interface Widening {
  extend(signed: boolean, high: boolean, a: V128): V128;
  multiply(signed: boolean, high: boolean, a: V128, b: V128): V128;
}

/** Opcodes in this order: low_s, high_s, low_u, high_u. */
function widening(extend: number, multiply: number): Widening {
  const offset = (signed: boolean, high: boolean): number => (signed ? 0 : 2) + (high ? 1 : 0);
  return {
    extend: (signed, high, a) => v128Unary(extend + offset(signed, high))(a),
    multiply: (signed, high, a, b) => v128Binary(multiply + offset(signed, high))(a, b),
  };
}
const widenings = [widening(0x87, 0x9c), widening(0xa7, 0xbc), widening(0xc7, 0xdc)] as const;

/** @param size of the narrow lanes: 0, 1 or 2 */
export function wideningFrom(size: number): Widening {
  return widenings[size] ?? widenings[2];
}

/** Products of signed 16-bit lanes, of which neighbours are added to 32-bit lanes. */
export const dotI16 = v128Binary(0xba);
export const popcntI8 = v128Unary(0x62);
export const anyTrue = v128ToI32(0x53);

/** Floating-point lanes of one width. */
export interface FloatShape {
  readonly bytes: 4 | 8;
  /** The same bits as integers. */
  readonly integer: IntegerShape;
  /** The bit that distinguishes a quiet NaN from a signalling one, and the default NaN. */
  readonly quiet: V128;
  readonly defaultNan: V128;
  /** The same number in all lanes. */
  all(value: number): V128;
  readonly eq: Binary;
  readonly ne: Binary;
  readonly gt: Binary;
  readonly ge: Binary;
  readonly ceil: Unary;
  readonly floor: Unary;
  readonly trunc: Unary;
  readonly nearest: Unary;
  readonly abs: Unary;
  readonly neg: Unary;
  readonly sqrt: Unary;
  readonly add: Binary;
  readonly sub: Binary;
  readonly mul: Binary;
  readonly div: Binary;
  readonly min: Binary;
  readonly max: Binary;
}

/** Opcodes in this order: eq, ne, lt, gt, le, ge; abs, neg, (none), sqrt, add, sub, mul, div, min, max. */
function floatOperations(eq: number, abs: number) {
  return {
    eq: v128Binary(eq),
    ne: v128Binary(eq + 1),
    gt: v128Binary(eq + 3),
    ge: v128Binary(eq + 5),
    abs: v128Unary(abs),
    neg: v128Unary(abs + 1),
    sqrt: v128Unary(abs + 3),
    add: v128Binary(abs + 4),
    sub: v128Binary(abs + 5),
    mul: v128Binary(abs + 6),
    div: v128Binary(abs + 7),
    min: v128Binary(abs + 8),
    max: v128Binary(abs + 9),
  };
}

function repeat(bytes: Uint8Array): V128 {
  return v128.const(Array.from({ length: 16 }, (_, at) => bytes[at % bytes.length] ?? 0));
}

export const f32x4: FloatShape = {
  bytes: 4,
  integer: i32x4,
  quiet: constant(4, 0x0040_0000n),
  defaultNan: constant(4, 0x7fc0_0000n),
  all: (value) => repeat(new Uint8Array(Float32Array.of(value).buffer)),
  ...floatOperations(0x41, 0xe0),
  ceil: v128Unary(0x67),
  floor: v128Unary(0x68),
  trunc: v128Unary(0x69),
  nearest: v128Unary(0x6a),
};

export const f64x2: FloatShape = {
  bytes: 8,
  integer: i64x2,
  quiet: constant(8, 0x0008_0000_0000_0000n),
  defaultNan: constant(8, 0x7ff8_0000_0000_0000n),
  all: (value) => repeat(new Uint8Array(Float64Array.of(value).buffer)),
  ...floatOperations(0x47, 0xec),
  ceil: v128Unary(0x74),
  floor: v128Unary(0x75),
  trunc: v128Unary(0x7a),
  nearest: v128Unary(0x94),
};

export const convertVector = {
  /** The upper two lanes of the result are zero. */
  demote: v128Unary(0x5e),
  /** Converts the low two lanes. */
  promoteLow: v128Unary(0x5f),
  truncSatF32S: v128Unary(0xf8),
  truncSatF32U: v128Unary(0xf9),
  fromI32S: v128Unary(0xfa),
  fromI32U: v128Unary(0xfb),
} as const;
