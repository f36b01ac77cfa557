import { insn, vElement, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { laneBytes, zeroVector } from '../simd/vector.ts';
import {
  choose,
  majority,
  registers,
  rotateLanesLeft,
  rotateLeft,
  rotations,
  setWords,
  sum,
  word,
  words,
  xor,
} from './words.ts';

/** P1 of SM3 in each word; the vector is a local. */
function permuted(value: V128): V128 {
  return v128.xor(value, v128.xor(rotateLanesLeft(value, 15), rotateLanesLeft(value, 23)));
}

/** The lowest word in the place of the highest, with zeros below. */
function onlyHighest(value: V128): V128 {
  return v128.shuffle(zeroVector, value, laneBytes(4, [0, 0, 0, 4]));
}

/** SM3PARTW1: the highest word also depends on the lowest one of the result. */
function expandFirst(code: Lowering): void {
  const m = code.let(code.q('m'));
  const shifted = code.let(v128.shuffle(m, zeroVector, laneBytes(4, [1, 2, 3, 4])));
  const mixed = v128.xor(v128.xor(code.q('d'), code.q('n')), rotateLanesLeft(shifted, 15));
  const before = code.let(mixed);
  const lowest = code.let(onlyHighest(code.let(permuted(before))));
  const complete = code.let(v128.xor(before, rotateLanesLeft(lowest, 15)));
  code.setQ('d', permuted(complete));
}

/** SM3PARTW2, whose highest word depends on the lowest one too. */
function expandSecond(code: Lowering): void {
  const m = code.let(code.q('m'));
  const mixed = code.let(v128.xor(code.q('n'), rotateLanesLeft(m, 7)));
  const lowest = code.let(onlyHighest(mixed));
  const last = code.let(rotateLanesLeft(lowest, 15));
  code.setQ('d', v128.xor(v128.xor(code.q('d'), mixed), permuted(last)));
}

/** One round's words a to d (TT1) or e to h (TT2), highest first; `late` rounds are those from the 17th on. */
function round(code: Lowering, second: boolean, late: boolean): void {
  const [d, c, b, a] = words(code, 'd');
  const scheduled = word(code, 'm', 0);
  const n = word(code, 'n', 3);
  const mixed = !late ? xor(a, b, c) : second ? choose(a, b, c) : majority(a, b, c);
  if (second) {
    const total = code.let(sum(mixed, d, n, scheduled));
    return setWords(code, [c, code.let(rotateLeft(b, 19)), a, code.let(rotations(total, 0, 9, 17))]);
  }
  const total = sum(mixed, d, i32.xor(n, rotateLeft(a, 12)), scheduled);
  setWords(code, [c, code.let(rotateLeft(b, 9)), a, code.let(total)]);
}

/** The hash SM3 (GB/T 32905-2016): FEAT_SM3 (Arm ARM, C4.1.96). */
export const sm3: readonly Definition[] = [
  insn(
    'SM3SS1',
    '1100 1110 010 Rm:5 0 Ra:5 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      const total = sum(rotateLeft(word(code, 'n', 3), 12), word(code, 'm', 3), word(code, 'a', 3));
      code.setQ('d', v128.replaceI32(zeroVector, 3, rotateLeft(total, 7)));
    },
  ),
  insn(
    'SM3TT1A, SM3TT1B, SM3TT2A, SM3TT2B',
    '1100 1110 010 Rm:5 10 imm2:2 T B Rn:5 Rd:5',
    (f) => ({ variant: [f.T, f.B], ...registers(f), m: vElement(f.Rm, 4, f.imm2) }),
    (code, second = 0, late = 0) => {
      round(code, second === 1, late === 1);
    },
  ),
  insn(
    'SM3PARTW1, SM3PARTW2',
    '1100 1110 011 Rm:5 1 1 00 0 P Rn:5 Rd:5',
    (f) => ({ variant: [f.P], ...registers(f) }),
    (code, second = 0) => {
      if (second === 1) expandSecond(code);
      else expandFirst(code);
    },
  ),
];
