import { insn, vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import { dotI16, integerShape, wideningFrom } from '../../wasm/lane-shapes.ts';
import { indexedElement, indexedOperands } from './by-element.ts';
import { keptByQ, laneBytes, write } from './vector.ts';

/** Which of the two sources has signed bytes: 1 or 0. */
type Signedness = readonly [n: number, m: number];

const words = integerShape(2);
const EVEN = laneBytes(4, [0, 2, 4, 6]);
const ODD = laneBytes(4, [1, 3, 5, 7]);

/** Sums of neighbouring words of two vectors. */
function pairSums(code: Lowering, low: V128, high: V128): V128 {
  const [a, b] = [code.let(low), code.let(high)];
  return words.add(v128.shuffle(a, b, EVEN), v128.shuffle(a, b, ODD));
}

/** The low or high eight bytes as halfwords, in which products of bytes of either kind are exact. */
function half(code: Lowering, value: V128, signed: number, high: boolean): V128 {
  return code.let(wideningFrom(0).extend(signed === 1, high, value));
}

/** For each word, the sum of the products of its four bytes. */
function dotProducts(code: Lowering, n: V128, m: V128, [nSigned, mSigned]: Signedness): V128 {
  const products = (high: boolean): V128 => dotI16(half(code, n, nSigned, high), half(code, m, mSigned, high));
  return pairSums(code, products(false), products(true));
}

/** The product of a matrix of 2 rows of 8 bytes and the transpose of another. */
function matrixProduct(code: Lowering, n: V128, m: V128, [nSigned, mSigned]: Signedness): V128 {
  const columns = [half(code, m, mSigned, false), half(code, m, mSigned, true)] as const;
  const products = (high: boolean): V128 => {
    const row = half(code, n, nSigned, high);
    return pairSums(code, dotI16(row, columns[0]), dotI16(row, columns[1]));
  };
  return pairSums(code, products(false), products(true));
}

function registers({ Rm, Rn, Rd }: Readonly<Record<'Rm' | 'Rn' | 'Rd', number>>) {
  return { d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
}

function addDotProducts(code: Lowering, kept: number, m: V128, signedness: Signedness): void {
  const n = code.let(code.q('n'));
  write(code, words.add(code.q('d'), dotProducts(code, n, m, signedness)), kept);
}

function addMatrixProduct(code: Lowering, signedness: Signedness): void {
  const n = code.let(code.q('n'));
  const m = code.let(code.q('m'));
  code.setQ('d', words.add(code.q('d'), matrixProduct(code, n, m, signedness)));
}

/** Sums of products of bytes: FEAT_DotProd and FEAT_I8MM (Arm ARM, C4.1.96). */
export const dotProduct: readonly Definition[] = [
  insn(
    'SDOT, UDOT (vector)',
    '0 Q U 01110 10 0 Rm:5 1 0010 1 Rn:5 Rd:5',
    (f) => ({ variant: [keptByQ(f.Q), f.U ^ 1], ...registers(f) }),
    (code, kept = 16, signed = 0) => {
      addDotProducts(code, kept, code.let(code.q('m')), [signed, signed]);
    },
  ),
  insn(
    'USDOT (vector)',
    '0 Q 0 01110 10 0 Rm:5 1 0011 1 Rn:5 Rd:5',
    (f) => ({ variant: [keptByQ(f.Q)], ...registers(f) }),
    (code, kept = 16) => {
      addDotProducts(code, kept, code.let(code.q('m')), [0, 1]);
    },
  ),
  insn(
    'SDOT, UDOT (by element)',
    '0 Q U 01111 10 L M Rm:4 1110 H 0 Rn:5 Rd:5',
    (f) => ({ variant: [keptByQ(f.Q), f.U ^ 1], ...indexedOperands(f, 2) }),
    (code, kept = 16, signed = 0) => {
      addDotProducts(code, kept, indexedElement(code, 2), [signed, signed]);
    },
  ),
  insn(
    'SUDOT, USDOT (by element)',
    '0 Q 0 01111 US 0 L M Rm:4 1111 H 0 Rn:5 Rd:5',
    (f) => ({ variant: [keptByQ(f.Q), f.US], ...indexedOperands(f, 2) }),
    (code, kept = 16, mSigned = 0) => {
      addDotProducts(code, kept, indexedElement(code, 2), [mSigned ^ 1, mSigned]);
    },
  ),
  insn(
    'SMMLA, UMMLA (vector)',
    '0 1 U 01110 10 0 Rm:5 1 0100 1 Rn:5 Rd:5',
    (f) => ({ variant: [f.U ^ 1], ...registers(f) }),
    (code, signed = 0) => {
      addMatrixProduct(code, [signed, signed]);
    },
  ),
  insn(
    'USMMLA (vector)',
    '0 1 0 01110 10 0 Rm:5 1 0101 1 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      addMatrixProduct(code, [0, 1]);
    },
  ),
];
