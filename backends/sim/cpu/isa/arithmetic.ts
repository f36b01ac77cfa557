import { i32, i64, type I32, type I64 } from '../wasm/expr.ts';
import type { Lowering, RegisterOperand } from './lowering.ts';

/** Operations with the same meaning on W and X registers, by the `sf` bit. */

export type Word = I32 | I64;

/** What differs between the two widths. */
export interface Width<T extends Word> {
  readonly bits: 32 | 64;
  const(value: bigint): T;
  read(code: Lowering, operand: RegisterOperand): T;
  write(code: Lowering, operand: RegisterOperand, value: T): void;
  /** The instruction's constant. */
  imm(code: Lowering): T;
  let(code: Lowering, value: T): T;
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  and(a: T, b: T): T;
  or(a: T, b: T): T;
  xor(a: T, b: T): T;
  shl(a: T, by: T): T;
  shrS(a: T, by: T): T;
  shrU(a: T, by: T): T;
  rotr(a: T, by: T): T;
  clz(a: T): T;
  divS(a: T, b: T): T;
  divU(a: T, b: T): T;
  eqz(a: T): I32;
  eq(a: T, b: T): I32;
  ltU(a: T, b: T): I32;
  geU(a: T, b: T): I32;
  ltS(a: T, b: T): I32;
  select(condition: I32, a: T, b: T): T;
  fromI32(value: I32): T;
  /** For flags: the value with its sign in bit 63. */
  signed64(value: T): I64;
}

const width64: Width<I64> = {
  ...i64,
  bits: 64,
  read: (code, operand) => code.x(operand),
  write: (code, operand, value) => {
    code.setX(operand, value);
  },
  imm: (code) => code.imm(),
  let: (code, value) => code.let(value),
  fromI32: (value) => i64.extendI32U(value),
  signed64: (value) => value,
};

const width32: Width<I32> = {
  ...i32,
  bits: 32,
  const: (value) => i32.const(Number(BigInt.asIntN(32, value))),
  read: (code, operand) => code.w(operand),
  write: (code, operand, value) => {
    code.setW(operand, value);
  },
  imm: (code) => code.low(),
  let: (code, value) => code.let(value),
  fromI32: (value) => value,
  signed64: (value) => i64.extendI32S(value),
};

/** Calls a lowering with the width that `sf` selects. */
export function atWidth(sf: number | undefined, lower: <T extends Word>(width: Width<T>) => void): void {
  if (sf === 1) lower(width64);
  else lower(width32);
}

/** AddWithCarry without a carry in (Arm ARM, shared pseudocode): sets the flags and returns the sum. */
export function addSettingFlags<T extends Word>(width: Width<T>, code: Lowering, first: T, second: T): T {
  const a = width.let(code, first);
  const b = width.let(code, second);
  const sum = width.let(code, width.add(a, b));
  const overflow = width.ltS(width.and(width.xor(a, sum), width.xor(b, sum)), width.const(0n));
  code.setFlags(width.signed64(sum), width.signed64(sum), width.ltU(sum, a), overflow);
  return sum;
}

export function subSettingFlags<T extends Word>(width: Width<T>, code: Lowering, first: T, second: T): T {
  const a = width.let(code, first);
  const b = width.let(code, second);
  const difference = width.let(code, width.sub(a, b));
  const overflow = width.ltS(width.and(width.xor(a, b), width.xor(a, difference)), width.const(0n));
  code.setFlags(width.signed64(difference), width.signed64(difference), width.geU(a, b), overflow);
  return difference;
}

/** AddWithCarry with PSTATE.C as the carry in. */
export function addWithCarry<T extends Word>(width: Width<T>, code: Lowering, first: T, second: T, flags: boolean): T {
  const a = width.let(code, first);
  const b = width.let(code, second);
  const carry = code.let(code.carry());
  const sum = width.let(code, width.add(width.add(a, b), width.fromI32(carry)));
  if (flags) {
    const carryOut = i32.or(width.ltU(sum, a), i32.and(carry, width.eq(sum, a)));
    const overflow = width.ltS(width.and(width.xor(a, sum), width.xor(b, sum)), width.const(0n));
    code.setFlags(width.signed64(sum), width.signed64(sum), carryOut, overflow);
  }
  return sum;
}

export function logicFlags<T extends Word>(width: Width<T>, code: Lowering, value: T): T {
  const result = width.let(code, value);
  code.setFlags(width.signed64(result), width.signed64(result), i32.const(0), i32.const(0));
  return result;
}

/** High half of a 64 x 64 bit product, from four 32-bit ones. */
export function unsignedHigh(code: Lowering, first: I64, second: I64): I64 {
  const low = (value: I64): I64 => i64.and(value, i64.const(0xffff_ffffn));
  const high = (value: I64): I64 => i64.shrU(value, i64.const(32n));
  const a = code.let(first);
  const b = code.let(second);
  const cross = code.let(i64.add(i64.mul(high(a), low(b)), high(i64.mul(low(a), low(b)))));
  const cross2 = code.let(i64.add(i64.mul(low(a), high(b)), low(cross)));
  return i64.add(i64.add(i64.mul(high(a), high(b)), high(cross)), high(cross2));
}

export function signedHigh(code: Lowering, first: I64, second: I64): I64 {
  const a = code.let(first);
  const b = code.let(second);
  const sign = (value: I64): I64 => i64.shrS(value, i64.const(63n));
  const unsigned = unsignedHigh(code, a, b);
  return i64.sub(i64.sub(unsigned, i64.and(sign(a), b)), i64.and(sign(b), a));
}
