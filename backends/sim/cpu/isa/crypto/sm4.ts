import { insn, type Definition } from '../definition.ts';
import type { Lowering, RegisterOperand } from '../lowering.ts';
import { i32, type I32 } from '../../wasm/expr.ts';
import { LookupTable } from '../../layout.ts';
import { registers, rotations, setWords, words, xor } from './words.ts';

/** Each byte of a word through the substitution box. */
function substituted(code: Lowering, value: I32): I32 {
  const bytes = [0, 8, 16, 24].map((shift) => {
    const byte = i32.and(i32.shrU(value, i32.const(shift)), i32.const(0xff));
    return i32.shl(i32.load8U(byte, LookupTable.Sm4), i32.const(shift));
  });
  return code.let(bytes.reduce((sum, byte) => i32.or(sum, byte)));
}

/** Four rounds, of the cipher or of its key schedule, which differ in how they mix the substituted word. */
function rounds(code: Lowering, state: RegisterOperand, keys: RegisterOperand, amounts: readonly number[]): void {
  let [a, b, c, d] = words(code, state);
  for (const key of words(code, keys)) {
    const box = substituted(code, code.let(xor(b, c, d, key)));
    [a, b, c, d] = [b, c, d, code.let(i32.xor(a, rotations(box, ...amounts)))];
  }
  setWords(code, [a, b, c, d]);
}

/** The block cipher SM4 (GB/T 32907-2016): FEAT_SM4 (Arm ARM, C4.1.96). */
export const sm4: readonly Definition[] = [
  insn(
    'SM4E',
    '1100 1110 110 00000 1000 01 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      rounds(code, 'd', 'n', [0, 2, 10, 18, 24]);
    },
  ),
  insn(
    'SM4EKEY',
    '1100 1110 011 Rm:5 1 1 00 10 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      rounds(code, 'n', 'm', [0, 13, 23]);
    },
  ),
];
