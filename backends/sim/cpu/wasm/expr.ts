import { signed, signed64, unsigned, type Code } from './encode.ts';

/**
 * Typed WebAssembly expressions: code that leaves one value on the stack. Lowerings are written with them, so a wrong
 * operand type does not compile.
 */
export interface Expr<T extends 'i32' | 'i64' | 'f32' | 'f64' | 'v128'> {
  readonly type: T;
  readonly code: Code;
}
export type I32 = Expr<'i32'>;
export type I64 = Expr<'i64'>;
export type F32 = Expr<'f32'>;
export type F64 = Expr<'f64'>;
export type V128 = Expr<'v128'>;
export type AnyExpr = I32 | I64 | F32 | F64 | V128;

type TypeName = AnyExpr['type'];
type Of<T extends TypeName> = Extract<AnyExpr, { type: T }>;

function make<T extends TypeName>(type: T, code: Code): Of<T> {
  // Safe: Of<T> is the member of the union with type T, and both fields are given.
  return { type, code } as Expr<T> as Of<T>;
}

function binary<A extends TypeName, B extends TypeName, R extends TypeName>(_a: A, _b: B, result: R, ...op: number[]) {
  return (a: Of<A>, b: Of<B>): Of<R> => make(result, [...a.code, ...b.code, ...op]);
}

function unary<A extends TypeName, R extends TypeName>(_a: A, result: R, ...op: number[]) {
  return (a: Of<A>): Of<R> => make(result, [...a.code, ...op]);
}

function load<R extends TypeName>(result: R, ...op: number[]) {
  return (address: I32, offset = 0): Of<R> => make(result, [...address.code, ...op, 0, ...unsigned(offset)]);
}

function store<V extends TypeName>(_v: V, ...op: number[]) {
  return (address: I32, value: Of<V>, offset = 0): Code => [
    ...address.code,
    ...value.code,
    ...op,
    0,
    ...unsigned(offset),
  ];
}

function select<T extends TypeName>(type: T) {
  return (condition: I32, ifTrue: Of<T>, ifFalse: Of<T>): Of<T> =>
    make(type, [...ifTrue.code, ...ifFalse.code, ...condition.code, 0x1b]);
}

export const i32 = {
  const: (value: number): I32 => make('i32', [0x41, ...signed(value)]),
  eqz: unary('i32', 'i32', 0x45),
  eq: binary('i32', 'i32', 'i32', 0x46),
  ne: binary('i32', 'i32', 'i32', 0x47),
  ltS: binary('i32', 'i32', 'i32', 0x48),
  ltU: binary('i32', 'i32', 'i32', 0x49),
  gtS: binary('i32', 'i32', 'i32', 0x4a),
  gtU: binary('i32', 'i32', 'i32', 0x4b),
  leS: binary('i32', 'i32', 'i32', 0x4c),
  leU: binary('i32', 'i32', 'i32', 0x4d),
  geS: binary('i32', 'i32', 'i32', 0x4e),
  geU: binary('i32', 'i32', 'i32', 0x4f),
  clz: unary('i32', 'i32', 0x67),
  ctz: unary('i32', 'i32', 0x68),
  popcnt: unary('i32', 'i32', 0x69),
  add: binary('i32', 'i32', 'i32', 0x6a),
  sub: binary('i32', 'i32', 'i32', 0x6b),
  mul: binary('i32', 'i32', 'i32', 0x6c),
  divS: binary('i32', 'i32', 'i32', 0x6d),
  divU: binary('i32', 'i32', 'i32', 0x6e),
  and: binary('i32', 'i32', 'i32', 0x71),
  or: binary('i32', 'i32', 'i32', 0x72),
  xor: binary('i32', 'i32', 'i32', 0x73),
  shl: binary('i32', 'i32', 'i32', 0x74),
  shrS: binary('i32', 'i32', 'i32', 0x75),
  shrU: binary('i32', 'i32', 'i32', 0x76),
  rotl: binary('i32', 'i32', 'i32', 0x77),
  rotr: binary('i32', 'i32', 'i32', 0x78),
  wrap: unary('i64', 'i32', 0xa7),
  extend8S: unary('i32', 'i32', 0xc0),
  extend16S: unary('i32', 'i32', 0xc1),
  reinterpretF32: unary('f32', 'i32', 0xbc),
  truncSatF32S: unary('f32', 'i32', 0xfc, 0),
  truncSatF32U: unary('f32', 'i32', 0xfc, 1),
  truncSatF64S: unary('f64', 'i32', 0xfc, 2),
  truncSatF64U: unary('f64', 'i32', 0xfc, 3),
  load: load('i32', 0x28),
  load8S: load('i32', 0x2c),
  load8U: load('i32', 0x2d),
  load16S: load('i32', 0x2e),
  load16U: load('i32', 0x2f),
  store: store('i32', 0x36),
  store8: store('i32', 0x3a),
  store16: store('i32', 0x3b),
  select: select('i32'),
};

export const i64 = {
  const: (value: bigint): I64 => make('i64', [0x42, ...signed64(value)]),
  eqz: unary('i64', 'i32', 0x50),
  eq: binary('i64', 'i64', 'i32', 0x51),
  ne: binary('i64', 'i64', 'i32', 0x52),
  ltS: binary('i64', 'i64', 'i32', 0x53),
  ltU: binary('i64', 'i64', 'i32', 0x54),
  gtS: binary('i64', 'i64', 'i32', 0x55),
  gtU: binary('i64', 'i64', 'i32', 0x56),
  leS: binary('i64', 'i64', 'i32', 0x57),
  leU: binary('i64', 'i64', 'i32', 0x58),
  geS: binary('i64', 'i64', 'i32', 0x59),
  geU: binary('i64', 'i64', 'i32', 0x5a),
  clz: unary('i64', 'i64', 0x79),
  ctz: unary('i64', 'i64', 0x7a),
  popcnt: unary('i64', 'i64', 0x7b),
  add: binary('i64', 'i64', 'i64', 0x7c),
  sub: binary('i64', 'i64', 'i64', 0x7d),
  mul: binary('i64', 'i64', 'i64', 0x7e),
  divS: binary('i64', 'i64', 'i64', 0x7f),
  divU: binary('i64', 'i64', 'i64', 0x80),
  and: binary('i64', 'i64', 'i64', 0x83),
  or: binary('i64', 'i64', 'i64', 0x84),
  xor: binary('i64', 'i64', 'i64', 0x85),
  shl: binary('i64', 'i64', 'i64', 0x86),
  shrS: binary('i64', 'i64', 'i64', 0x87),
  shrU: binary('i64', 'i64', 'i64', 0x88),
  rotl: binary('i64', 'i64', 'i64', 0x89),
  rotr: binary('i64', 'i64', 'i64', 0x8a),
  extendI32S: unary('i32', 'i64', 0xac),
  extendI32U: unary('i32', 'i64', 0xad),
  extend8S: unary('i64', 'i64', 0xc2),
  extend16S: unary('i64', 'i64', 0xc3),
  extend32S: unary('i64', 'i64', 0xc4),
  reinterpretF64: unary('f64', 'i64', 0xbd),
  truncSatF32S: unary('f32', 'i64', 0xfc, 4),
  truncSatF32U: unary('f32', 'i64', 0xfc, 5),
  truncSatF64S: unary('f64', 'i64', 0xfc, 6),
  truncSatF64U: unary('f64', 'i64', 0xfc, 7),
  load: load('i64', 0x29),
  load8S: load('i64', 0x30),
  load8U: load('i64', 0x31),
  load16S: load('i64', 0x32),
  load16U: load('i64', 0x33),
  load32S: load('i64', 0x34),
  load32U: load('i64', 0x35),
  store: store('i64', 0x37),
  store8: store('i64', 0x3c),
  store16: store('i64', 0x3d),
  store32: store('i64', 0x3e),
  select: select('i64'),
};

function floatBits(bytes: Uint8Array): number[] {
  return [...bytes];
}

export const f32 = {
  const: (value: number): F32 => make('f32', [0x43, ...floatBits(new Uint8Array(Float32Array.of(value).buffer))]),
  eq: binary('f32', 'f32', 'i32', 0x5b),
  ne: binary('f32', 'f32', 'i32', 0x5c),
  lt: binary('f32', 'f32', 'i32', 0x5d),
  gt: binary('f32', 'f32', 'i32', 0x5e),
  le: binary('f32', 'f32', 'i32', 0x5f),
  ge: binary('f32', 'f32', 'i32', 0x60),
  abs: unary('f32', 'f32', 0x8b),
  neg: unary('f32', 'f32', 0x8c),
  ceil: unary('f32', 'f32', 0x8d),
  floor: unary('f32', 'f32', 0x8e),
  trunc: unary('f32', 'f32', 0x8f),
  nearest: unary('f32', 'f32', 0x90),
  sqrt: unary('f32', 'f32', 0x91),
  add: binary('f32', 'f32', 'f32', 0x92),
  sub: binary('f32', 'f32', 'f32', 0x93),
  mul: binary('f32', 'f32', 'f32', 0x94),
  div: binary('f32', 'f32', 'f32', 0x95),
  min: binary('f32', 'f32', 'f32', 0x96),
  max: binary('f32', 'f32', 'f32', 0x97),
  copysign: binary('f32', 'f32', 'f32', 0x98),
  convertI32S: unary('i32', 'f32', 0xb2),
  convertI32U: unary('i32', 'f32', 0xb3),
  convertI64S: unary('i64', 'f32', 0xb4),
  convertI64U: unary('i64', 'f32', 0xb5),
  demote: unary('f64', 'f32', 0xb6),
  reinterpret: unary('i32', 'f32', 0xbe),
  load: load('f32', 0x2a),
  store: store('f32', 0x38),
  select: select('f32'),
};

export const f64 = {
  const: (value: number): F64 => make('f64', [0x44, ...floatBits(new Uint8Array(Float64Array.of(value).buffer))]),
  eq: binary('f64', 'f64', 'i32', 0x61),
  ne: binary('f64', 'f64', 'i32', 0x62),
  lt: binary('f64', 'f64', 'i32', 0x63),
  gt: binary('f64', 'f64', 'i32', 0x64),
  le: binary('f64', 'f64', 'i32', 0x65),
  ge: binary('f64', 'f64', 'i32', 0x66),
  abs: unary('f64', 'f64', 0x99),
  neg: unary('f64', 'f64', 0x9a),
  ceil: unary('f64', 'f64', 0x9b),
  floor: unary('f64', 'f64', 0x9c),
  trunc: unary('f64', 'f64', 0x9d),
  nearest: unary('f64', 'f64', 0x9e),
  sqrt: unary('f64', 'f64', 0x9f),
  add: binary('f64', 'f64', 'f64', 0xa0),
  sub: binary('f64', 'f64', 'f64', 0xa1),
  mul: binary('f64', 'f64', 'f64', 0xa2),
  div: binary('f64', 'f64', 'f64', 0xa3),
  min: binary('f64', 'f64', 'f64', 0xa4),
  max: binary('f64', 'f64', 'f64', 0xa5),
  copysign: binary('f64', 'f64', 'f64', 0xa6),
  convertI32S: unary('i32', 'f64', 0xb7),
  convertI32U: unary('i32', 'f64', 0xb8),
  convertI64S: unary('i64', 'f64', 0xb9),
  convertI64U: unary('i64', 'f64', 0xba),
  promote: unary('f32', 'f64', 0xbb),
  reinterpret: unary('i64', 'f64', 0xbf),
  load: load('f64', 0x2b),
  store: store('f64', 0x39),
  select: select('f64'),
};

function simd(op: number): number[] {
  return [0xfd, ...unsigned(op)];
}

/** A SIMD operation on two vectors, by its opcode in the binary format (section 5.4.8). */
export function v128Binary(op: number): (a: V128, b: V128) => V128 {
  return binary('v128', 'v128', 'v128', ...simd(op));
}

/** A SIMD operation on one vector. */
export function v128Unary(op: number): (a: V128) => V128 {
  return unary('v128', 'v128', ...simd(op));
}

/** A SIMD shift of a vector's lanes by a scalar, taken modulo the lane width. */
export function v128Shift(op: number): (a: V128, by: I32) => V128 {
  return binary('v128', 'i32', 'v128', ...simd(op));
}

/** A SIMD operation from a vector to a scalar, such as `any_true`, or from a scalar to a vector, such as `splat`. */
export function v128ToI32(op: number): (a: V128) => I32 {
  return unary('v128', 'i32', ...simd(op));
}

export const v128 = {
  load: load('v128', ...simd(0)),
  load64Zero: load('v128', ...simd(93)),
  store: store('v128', ...simd(11)),
  const: (bytes: readonly number[]): V128 => make('v128', [...simd(12), ...bytes]),
  shuffle: (a: V128, b: V128, lanes: readonly number[]): V128 =>
    make('v128', [...a.code, ...b.code, ...simd(13), ...lanes]),
  swizzle: v128Binary(14),
  splatI8: unary('i32', 'v128', ...simd(15)),
  splatI16: unary('i32', 'v128', ...simd(16)),
  splatI32: unary('i32', 'v128', ...simd(17)),
  splatI64: unary('i64', 'v128', ...simd(18)),
  splatF32: unary('f32', 'v128', ...simd(19)),
  splatF64: unary('f64', 'v128', ...simd(20)),
  /** Loads a byte into a lane of a vector. */
  load8Lane: (address: I32, vector: V128, lane: number, offset = 0): V128 =>
    make('v128', [...address.code, ...vector.code, ...simd(84), 0, ...unsigned(offset), lane]),
  extractU8: (a: V128, lane: number): I32 => make('i32', [...a.code, ...simd(22), lane]),
  replaceI32: (a: V128, lane: number, value: I32): V128 => make('v128', [...a.code, ...value.code, ...simd(28), lane]),
  extractI64: (a: V128, lane: number): I64 => make('i64', [...a.code, ...simd(29), lane]),
  replaceI64: (a: V128, lane: number, value: I64): V128 => make('v128', [...a.code, ...value.code, ...simd(30), lane]),
  not: v128Unary(77),
  and: v128Binary(78),
  andnot: v128Binary(79),
  or: v128Binary(80),
  xor: v128Binary(81),
  bitselect: (ifSet: V128, ifClear: V128, mask: V128): V128 =>
    make('v128', [...ifSet.code, ...ifClear.code, ...mask.code, ...simd(82)]),
  anyTrue: v128ToI32(83),
};

/** A local variable's value. */
export function localGet<T extends TypeName>(type: T, index: number): Of<T> {
  return make(type, [0x20, ...unsigned(index)]);
}

/** Statements: code that leaves nothing on the stack. */
export const stmt = {
  localSet: (index: number, value: AnyExpr): Code => [...value.code, 0x21, ...unsigned(index)],
  if: (condition: I32, then: Code, otherwise: Code = []): Code =>
    otherwise.length === 0
      ? [...condition.code, 0x04, 0x40, ...then, 0x0b]
      : [...condition.code, 0x04, 0x40, ...then, 0x05, ...otherwise, 0x0b],
  return: (value: AnyExpr): Code => [...value.code, 0x0f],
  drop: (value: AnyExpr): Code => [...value.code, 0x1a],
};

/** Call of a function that returns one value. */
export function call<T extends TypeName>(type: T, functionIndex: number, args: readonly AnyExpr[]): Of<T> {
  return make(type, [...args.flatMap((arg) => arg.code), 0x10, ...unsigned(functionIndex)]);
}

/** `return_call_indirect` through table 0 (tail-call proposal, now part of WebAssembly 3.0). */
export function returnCallIndirect(typeIndex: number, args: readonly AnyExpr[], tableIndex: I32): Code {
  return [...args.flatMap((arg) => arg.code), ...tableIndex.code, 0x13, ...unsigned(typeIndex), 0];
}
