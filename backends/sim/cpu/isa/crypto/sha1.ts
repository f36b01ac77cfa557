import { insn, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, i64, v128, type I32 } from '../../wasm/expr.ts';
import { zeroVector, laneBytes } from '../simd/vector.ts';
import { choose, majority, registers, rotateLanesLeft, rotateLeft, setWords, sum, word, words, xor } from './words.ts';

/** The function of the rounds that SHA1C, SHA1P and SHA1M compute, by opcode. */
const functions: readonly ((x: I32, y: I32, z: I32) => I32)[] = [choose, xor, majority];

/** Four rounds of SHA-1 (FIPS 180-4, section 6.1.2); the constants are in Vm already. */
function rounds(code: Lowering, f: (x: I32, y: I32, z: I32) => I32): void {
  let [a, b, c, d] = words(code, 'd');
  let e = word(code, 'n', 0);
  for (const scheduled of words(code, 'm')) {
    const next = code.let(sum(e, rotateLeft(a, 5), f(b, c, d), scheduled));
    const rotated = code.let(rotateLeft(b, 30));
    [a, b, c, d, e] = [next, a, rotated, c, d];
  }
  setWords(code, [a, b, c, d]);
}

/** Secure hash SHA-1: FEAT_SHA1 (Arm ARM, C4.1.96). */
export const sha1: readonly Definition[] = [
  insn(
    'SHA1C, SHA1P, SHA1M',
    '0101 1110 000 Rm:5 0 0 opcode:2 00 Rn:5 Rd:5',
    (f) => (f.opcode === 3 ? undefined : { variant: [f.opcode], ...registers(f) }),
    (code, opcode = 0) => {
      rounds(code, functions[opcode] ?? xor);
    },
  ),
  insn(
    'SHA1SU0',
    '0101 1110 000 Rm:5 0 011 00 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      const d = code.let(code.q('d'));
      const middle = v128.shuffle(d, code.q('n'), laneBytes(8, [1, 2]));
      code.setQ('d', v128.xor(v128.xor(middle, d), code.q('m')));
    },
  ),
  insn(
    'SHA1H',
    '0101 1110 00 10100 00000 10 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      code.setQ('d', v128.replaceI64(zeroVector, 0, i64.extendI32U(i32.rotl(code.w('n'), i32.const(30)))));
    },
  ),
  insn(
    'SHA1SU1',
    '0101 1110 00 10100 00001 10 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      const n = code.let(code.q('n'));
      const mixed = code.let(v128.xor(code.q('d'), v128.shuffle(n, zeroVector, laneBytes(4, [1, 2, 3, 4]))));
      const rotated = code.let(rotateLanesLeft(mixed, 1));
      // The highest word also depends on the lowest one of the result.
      const lowest = code.let(v128.shuffle(zeroVector, rotated, laneBytes(4, [0, 0, 0, 4])));
      code.setQ('d', v128.xor(rotated, rotateLanesLeft(lowest, 1)));
    },
  ),
];
