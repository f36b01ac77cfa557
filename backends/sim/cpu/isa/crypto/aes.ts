import { insn, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';
import { LookupTable } from '../../layout.ts';
import { laneBytes } from '../simd/vector.ts';
import { registers } from './words.ts';

/** A round of AES without the columns: the state of FIPS 197 is column by column in the register. */

/** Where ShiftRows takes the byte in each place from; `by` is 1, or 3 for its inverse. */
function shiftedRows(by: 1 | 3): number[] {
  return Array.from({ length: 16 }, (_, at) => (at % 4) + 4 * (((at >> 2) + (at % 4) * by) % 4));
}

/** SubBytes of ShiftRows, or of their inverses. */
function substituted(code: Lowering, table: number, rows: readonly number[]): void {
  const state = code.let(v128.xor(code.q('d'), code.q('n')));
  let result = state;
  for (const [lane, from] of rows.entries()) {
    result = v128.load8Lane(v128.extractU8(state, from), result, lane, table);
  }
  code.setQ('d', result);
}

const bytes = integerShape(0);
const REDUCTION = bytes.all(0x1bn);

/** Each byte times x, in the field of AES; the value is a local. */
function timesX(value: V128): V128 {
  const reduction = v128.and(bytes.shrS(value, i32.const(7)), REDUCTION);
  return v128.xor(bytes.add(value, value), reduction);
}

/** The rows of the state moved up within each column. */
function rowsUp(value: V128, by: number): V128 {
  const from = laneBytes(
    1,
    Array.from({ length: 16 }, (_, at) => (at & ~3) + ((at + by) & 3)),
  );
  return v128.shuffle(value, value, from);
}

/** MixColumns: 2a + 3b + c + d is 2(a + b) + b + (c + d), where b to d are the rows below. */
function mixedColumns(code: Lowering, value: V128): V128 {
  const next = code.let(rowsUp(value, 1));
  const both = code.let(v128.xor(value, next));
  return v128.xor(v128.xor(timesX(both), next), rowsUp(both, 2));
}

/** Its inverse is MixColumns of 5a + 4c, where c is two rows below. */
function unmixedColumns(code: Lowering, value: V128): V128 {
  const twice = code.let(timesX(code.let(v128.xor(value, rowsUp(value, 2)))));
  return mixedColumns(code, code.let(v128.xor(value, timesX(twice))));
}

const SHIFT_ROWS = shiftedRows(1);
const INVERSE_SHIFT_ROWS = shiftedRows(3);

/** Cryptographic AES: FEAT_AES (Arm ARM, C4.1.96). */
export const aes: readonly Definition[] = [
  insn(
    'AESE, AESD',
    '0100 1110 00 10100 0010 D 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.D], ...registers(f) }),
    (code, decrypt = 0) => {
      if (decrypt === 1) substituted(code, LookupTable.AesInverse, INVERSE_SHIFT_ROWS);
      else substituted(code, LookupTable.Aes, SHIFT_ROWS);
    },
  ),
  insn(
    'AESMC, AESIMC',
    '0100 1110 00 10100 0011 D 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.D], ...registers(f) }),
    (code, decrypt = 0) => {
      code.setQ('d', (decrypt === 1 ? unmixedColumns : mixedColumns)(code, code.let(code.q('n'))));
    },
  ),
];
