import { insn, type Definition } from '../definition.ts';
import { i32, v128 } from '../../wasm/expr.ts';
import { registers, rotateDoublesRight } from './words.ts';

/** Steps of SHA-3's permutation: FEAT_SHA3 (Arm ARM, C4.1.96). */
export const sha3: readonly Definition[] = [
  insn(
    'EOR3, BCAX',
    '1100 1110 00 B Rm:5 0 Ra:5 Rn:5 Rd:5',
    (f) => ({ variant: [f.B], ...registers(f) }),
    (code, clears = 0) => {
      const [m, a] = [code.q('m'), code.q('a')];
      code.setQ('d', v128.xor(code.q('n'), clears === 1 ? v128.andnot(m, a) : v128.xor(m, a)));
    },
  ),
  insn(
    'RAX1',
    '1100 1110 011 Rm:5 1 0 00 11 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      const m = code.let(code.q('m'));
      code.setQ('d', v128.xor(code.q('n'), rotateDoublesRight(m, i32.const(63))));
    },
  ),
  insn(
    'XAR',
    '1100 1110 100 Rm:5 imm6:6 Rn:5 Rd:5',
    (f) => ({ variant: [], low: f.imm6, ...registers(f) }),
    (code) => {
      const both = code.let(v128.xor(code.q('n'), code.q('m')));
      code.setQ('d', rotateDoublesRight(both, code.let(code.low())));
    },
  ),
];
