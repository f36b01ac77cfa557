import { vRegister } from '../definition.ts';
import type { Lowering, RegisterOperand } from '../lowering.ts';
import { i32, v128, type I32, type V128 } from '../../wasm/expr.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';

/** SIMD&FP registers as four words, the lowest first, and the functions of words that hashes are made of. */

export type Words = readonly [I32, I32, I32, I32];

type RegisterFields = Readonly<Record<'Rn' | 'Rd', number> & Partial<Record<'Rm' | 'Ra', number>>>;

export function registers({ Rm, Rn, Rd, Ra }: RegisterFields) {
  return {
    d: vRegister(Rd),
    n: vRegister(Rn),
    ...(Rm === undefined ? {} : { m: vRegister(Rm) }),
    ...(Ra === undefined ? {} : { a: vRegister(Ra) }),
  };
}

export function word(code: Lowering, operand: RegisterOperand, index: number): I32 {
  return code.let(i32.wrap(code.element(operand, 4, index)));
}

export function words(code: Lowering, operand: RegisterOperand): Words {
  return [word(code, operand, 0), word(code, operand, 1), word(code, operand, 2), word(code, operand, 3)];
}

export function setWords(code: Lowering, [first, ...rest]: Words): void {
  code.setQ(
    'd',
    rest.reduce((vector, value, index) => v128.replaceI32(vector, index + 1, value), v128.splatI32(first)),
  );
}

/** The exclusive OR of all operands. */
export function xor(first: I32, ...rest: readonly I32[]): I32 {
  return rest.reduce((sum, value) => i32.xor(sum, value), first);
}

export function sum(first: I32, ...rest: readonly I32[]): I32 {
  return rest.reduce((total, value) => i32.add(total, value), first);
}

export function rotateLeft(value: I32, by: number): I32 {
  return i32.rotl(value, i32.const(by));
}

/** The exclusive OR of a local rotated left by each amount; zero is the value itself. */
export function rotations(value: I32, ...amounts: readonly number[]): I32 {
  const [first = value, ...rest] = amounts.map((by) => (by === 0 ? value : rotateLeft(value, by)));
  return xor(first, ...rest);
}

const shape = integerShape(2);

/** Four words rotated left; the vector is a local. */
export function rotateLanesLeft(vector: V128, by: number): V128 {
  return v128.or(shape.shl(vector, i32.const(by)), shape.shrU(vector, i32.const(32 - by)));
}

const doubles = integerShape(3);

/** Two 64-bit lanes rotated right; both operands are locals or constants. */
export function rotateDoublesRight(vector: V128, by: I32): V128 {
  // Shifts take their amount modulo 64.
  return v128.or(doubles.shrU(vector, by), doubles.shl(vector, i32.sub(i32.const(64), by)));
}

/** Bits of y where x has ones, and of z where it has zeros. */
export function choose(x: I32, y: I32, z: I32): I32 {
  return i32.xor(i32.and(i32.xor(y, z), x), z);
}

/** Bits that at least two of the three have. */
export function majority(x: I32, y: I32, z: I32): I32 {
  return i32.or(i32.and(x, y), i32.and(i32.or(x, y), z));
}
