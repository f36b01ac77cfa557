import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i64, v128, type V128 } from '../../wasm/expr.ts';
import { anyTrue, convertVector, f32x4, f64x2 } from '../../wasm/lane-shapes.ts';
import { conversion, FloatFormat, FloatHelper, floatHelper } from './float-helper.ts';
import { keep, laneBytes, pick, row, write, writeHalf } from './vector.ts';

type Fields = 'Q' | 'sz' | 'Rn' | 'Rd';

function registers({ Rn, Rd }: Readonly<Record<'Rn' | 'Rd', number>>) {
  return { d: vRegister(Rd), n: vRegister(Rn) };
}

/** Converts `lanes` elements of Vn, from element `first` on, with the helper, to the lowest elements of a vector. */
function convertedByHelper(
  code: Lowering,
  helper: number,
  from: { readonly format: number; readonly bytes: 2 | 4 | 8 },
  to: { readonly format: number; readonly bytes: 2 | 4 | 8 },
  first: number,
  lanes: number,
): V128 {
  let halves = [i64.const(0n), i64.const(0n)];
  for (let lane = 0; lane < lanes; lane += 1) {
    const element = code.element('n', from.bytes, first + lane);
    const value = floatHelper(code, helper, conversion(from.format, to.format), [element]);
    const at = lane * to.bytes;
    const shifted = i64.shl(value, i64.const(BigInt((at % 8) * 8)));
    halves = halves.map((part, index) => (index === Math.floor(at / 8) ? code.let(i64.or(part, shifted)) : part));
  }
  const [low = i64.const(0n), high = i64.const(0n)] = halves;
  return code.let(v128.replaceI64(v128.splatI64(low), 1, high));
}

const half = { format: FloatFormat.Half, bytes: 2 } as const;
const single = { format: FloatFormat.Single, bytes: 4 } as const;
const double = { format: FloatFormat.Double, bytes: 8 } as const;

/** Conversions of vectors from one precision to another (Arm ARM, C4.1.96). */
export const widthChanges: readonly Definition[] = [
  row<Fields>(
    'FCVTL, FCVTL2',
    '0 Q 0 01110 0 sz 10000 10111 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.sz, f.Q], ...registers(f) }),
    (code, sz = 0, high = 0) => {
      if (sz === 0) return code.setQ('d', convertedByHelper(code, FloatHelper.Convert, half, single, high * 4, 4));
      const n = high === 1 ? pick(code, [code.q('n')], laneBytes(8, [1, 1])) : code.q('n');
      const value = code.let(keep(n, 8));
      code.if(
        anyTrue(f32x4.ne(value, value)),
        () => {
          code.setQ('d', convertedByHelper(code, FloatHelper.Convert, single, double, high * 2, 2));
        },
        () => {
          code.setQ('d', convertVector.promoteLow(value));
        },
      );
    },
  ),
  row<Fields>(
    'FCVTN, FCVTN2',
    '0 Q 0 01110 0 sz 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.sz, f.Q], ...registers(f) }),
    (code, sz = 0, high = 0) => {
      if (sz === 0) {
        return writeHalf(code, convertedByHelper(code, FloatHelper.Convert, single, half, 0, 4), high === 1);
      }
      const value = code.let(code.q('n'));
      code.if(
        anyTrue(f64x2.ne(value, value)),
        () => {
          writeHalf(code, convertedByHelper(code, FloatHelper.Convert, double, single, 0, 2), high === 1);
        },
        () => {
          writeHalf(code, code.let(convertVector.demote(value)), high === 1);
        },
      );
    },
  ),
  row<Fields>(
    'FCVTXN, FCVTXN2',
    '0 Q 1 01110 0 1 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.Q], ...registers(f) }),
    (code, high = 0) => {
      writeHalf(code, convertedByHelper(code, FloatHelper.ConvertToOdd, double, single, 0, 2), high === 1);
    },
  ),
  row<Fields>(
    'FCVTXN (scalar)',
    '01 1 11110 0 1 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      write(code, convertedByHelper(code, FloatHelper.ConvertToOdd, double, single, 0, 1), 4);
    },
  ),
];
