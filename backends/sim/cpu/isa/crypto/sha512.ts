import { insn, type Definition } from '../definition.ts';
import type { Lowering, RegisterOperand } from '../lowering.ts';
import { i32, i64, v128, type I64, type V128 } from '../../wasm/expr.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';
import { laneBytes } from '../simd/vector.ts';
import { registers, rotateDoublesRight } from './words.ts';

/** Secure hash SHA-512 (FIPS 180-4, section 6.4.2): each instruction is half of two rounds. */

interface Pair {
  readonly low: I64;
  readonly high: I64;
}

function pair(code: Lowering, operand: RegisterOperand): Pair {
  return { low: code.let(code.element(operand, 8, 0)), high: code.let(code.element(operand, 8, 1)) };
}

function setPair(code: Lowering, { low, high }: Pair): void {
  code.setQ('d', v128.replaceI64(v128.splatI64(low), 1, high));
}

function rotations(value: I64, first: number, second: number, third: number): I64 {
  const rotated = (by: number): I64 => i64.rotr(value, i64.const(BigInt(by)));
  return i64.xor(i64.xor(rotated(first), rotated(second)), rotated(third));
}

function choose(x: I64, y: I64, z: I64): I64 {
  return i64.xor(i64.and(i64.xor(y, z), x), z);
}

function majority(x: I64, y: I64, z: I64): I64 {
  return i64.or(i64.and(x, y), i64.and(i64.or(x, y), z));
}

/** SHA512H: what two rounds add to both h and d, but for the constants, which are in Vd with the schedule. */
function firstHalf(code: Lowering): void {
  const [d, n, m] = [pair(code, 'd'), pair(code, 'n'), pair(code, 'm')];
  const step = (e: I64, f: I64, g: I64, addend: I64): I64 =>
    code.let(i64.add(i64.add(rotations(e, 14, 18, 41), choose(e, f, g)), addend));
  const high = step(m.high, n.low, n.high, d.high);
  const next = code.let(i64.add(high, m.low));
  setPair(code, { low: step(next, m.high, n.low, d.low), high });
}

/** SHA512H2: the words a that two rounds leave. */
function secondHalf(code: Lowering): void {
  const [d, n, m] = [pair(code, 'd'), pair(code, 'n'), pair(code, 'm')];
  const step = (a: I64, b: I64, c: I64, addend: I64): I64 =>
    code.let(i64.add(i64.add(rotations(a, 28, 34, 39), majority(a, b, c)), addend));
  const high = step(m.low, m.high, n.low, d.high);
  setPair(code, { low: step(high, m.low, m.high, d.low), high });
}

const shape = integerShape(3);

/** Lanes rotated right twice and shifted right: the functions of the message schedule. */
function schedule(value: V128, first: number, second: number, shift: number): V128 {
  const rotated = v128.xor(rotateDoublesRight(value, i32.const(first)), rotateDoublesRight(value, i32.const(second)));
  return v128.xor(rotated, shape.shrU(value, i32.const(shift)));
}

/** FEAT_SHA512 (Arm ARM, C4.1.96). */
export const sha512: readonly Definition[] = [
  insn(
    'SHA512H, SHA512H2',
    '1100 1110 011 Rm:5 1 0 00 0 P Rn:5 Rd:5',
    (f) => ({ variant: [f.P], ...registers(f) }),
    (code, second = 0) => {
      if (second === 1) secondHalf(code);
      else firstHalf(code);
    },
  ),
  insn(
    'SHA512SU0',
    '1100 1110 110 00000 1000 00 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      const d = code.let(code.q('d'));
      const following = code.let(v128.shuffle(d, code.q('n'), laneBytes(8, [1, 2])));
      code.setQ('d', shape.add(d, schedule(following, 1, 8, 7)));
    },
  ),
  insn(
    'SHA512SU1',
    '1100 1110 011 Rm:5 1 0 00 10 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      const n = code.let(code.q('n'));
      code.setQ('d', shape.add(shape.add(code.q('d'), code.q('m')), schedule(n, 19, 61, 6)));
    },
  ),
];
