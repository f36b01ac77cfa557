import { vRegister, type Definition } from '../definition.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import { convertVector, f32x4, f64x2 } from '../../wasm/lane-shapes.ts';
import { ExactFormat, ExactKind, HIGH, ODD, packed } from '../../float/operation.ts';
import { ifRight } from './exactness.ts';
import { FORMAT_BOUNDS, normalLanes } from './float-width.ts';
import { laneBytes, pick, row, writeHalf } from './vector.ts';

type Fields = 'Q' | 'sz' | 'Rn' | 'Rd';

function registers({ Rn, Rd }: Readonly<Record<'Rn' | 'Rd', number>>) {
  return { d: vRegister(Rd), n: vRegister(Rn) };
}

const { Half, Single, Double } = ExactFormat;

/** @param detail of the exact unit, without the other format */
function conversion(from: number, to: number, lanes: number, detail: number): number {
  return packed({ kind: ExactKind.Convert, format: from, lanes, detail: to | detail });
}

/**
 * Conversions of vectors from one precision to another (Arm ARM, C4.1.96). The exact unit converts NaNs and halves, and
 * rounds to odd.
 */
export const widthChanges: readonly Definition[] = [
  row<Fields>(
    'FCVTL, FCVTL2',
    '0 Q 0 01110 0 sz 10000 10111 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.sz, f.Q], ...registers(f) }),
    (code, sz = 0, high = 0) => {
      const detail = high === 1 ? HIGH : 0;
      if (sz === 0) return code.exactly(conversion(Half, Single, 4, detail));
      const n = code.let(high === 1 ? pick(code, [code.q('n')], laneBytes(8, [1, 1])) : code.q('n'));
      const computed = { value: n, right: f32x4.eq(n, n), inexact: false };
      const use = (): void => {
        code.setQ('d', convertVector.promoteLow(n));
      };
      ifRight(code, [computed], 8, use, { operation: conversion(Single, Double, 2, detail) });
    },
  ),
  row<Fields>(
    'FCVTN, FCVTN2',
    '0 Q 0 01110 0 sz 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.sz, f.Q], ...registers(f) }),
    (code, sz = 0, high = 0) => {
      const detail = high === 1 ? HIGH : 0;
      if (sz === 0) return code.exactly(conversion(Single, Half, 4, detail));
      const n = code.let(code.q('n'));
      const value = code.let(convertVector.demote(n));
      const right = normalLanes(f32x4, value, FORMAT_BOUNDS.single);
      const exact = (): V128 => f64x2.eq(convertVector.promoteLow(value), n);
      const computed = { value, right: v128.shuffle(right, right, LOW_LANES), inexact: true, exact };
      const use = (): void => {
        writeHalf(code, value, high === 1);
      };
      ifRight(code, [computed], 16, use, { operation: conversion(Double, Single, 2, detail) });
    },
  ),
  row<Fields>(
    'FCVTXN, FCVTXN2',
    '0 Q 1 01110 0 1 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.Q], ...registers(f) }),
    (code, high = 0) => {
      code.exactly(conversion(Double, Single, 2, ODD | (high === 1 ? HIGH : 0)));
    },
  ),
  row<Fields>(
    'FCVTXN (scalar)',
    '01 1 11110 0 1 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      code.exactly(conversion(Double, Single, 1, ODD));
    },
  ),
];

/** The low two 32-bit lanes, twice each: a mask of lanes of 64 bits. */
const LOW_LANES = laneBytes(4, [0, 0, 1, 1]);
