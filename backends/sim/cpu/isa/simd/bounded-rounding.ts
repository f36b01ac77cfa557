import { insn, vRegister, type Definition } from '../definition.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { Rounding } from '../../float/environment.ts';
import { ExactKind, MODE_OF_FPCR, packed, WIDE } from '../../float/operation.ts';
import { exactFormat, exactFormatOfType, whereDefault, whereSettled, writeRight } from './exactness.ts';
import { atPrecision, floatShape, generatedMode, rounded, roundedLanes } from './float-width.ts';
import { keptByQ } from './vector.ts';

/**
 * Rounding to numbers that are signed integers of 32 or 64 bits: what is none, NaN included, becomes the most negative
 * one, which is left to the exact unit. FRINT32X and FRINT64X use the mode in FPCR.
 */

/** The bound of the integers, by the bit that selects their size. */
function bound(wide: number): number {
  return wide === 1 ? 2 ** 63 : 2 ** 31;
}

/** The detail of the exact unit. */
function detailOf(wide: number, exact: number): number {
  return (exact === 1 ? MODE_OF_FPCR : Rounding.Zero) | (wide === 1 ? WIDE : 0);
}

/** FEAT_FRINTTS (Arm ARM, C4.1.96). */
export const boundedRounding: readonly Definition[] = [
  insn(
    'FRINT32Z, FRINT32X, FRINT64Z, FRINT64X (scalar)',
    '0 0 0 11110 0 sz 1 0100 W X 10000 Rn:5 Rd:5',
    (f) => ({ variant: [f.sz, f.W, f.X], d: vRegister(f.Rd), n: vRegister(f.Rn) }),
    (code, sz = 0, wide = 0, exact = 0) => {
      atPrecision(sz, (width) => {
        const detail = detailOf(wide, exact);
        const n = width.let(code, width.read(code, 'n'));
        const whole = width.let(code, rounded(code, width, n, generatedMode(detail)));
        const fits = code.let(width.lt(width.abs(whole), width.const(bound(wide))));
        const writeWhole = (): void => {
          width.write(code, whole);
        };
        code.if(whereSettled(fits), writeWhole, () => {
          code.if(whereDefault(i32.and(fits, width.eq(whole, n))), writeWhole, () => {
            code.exactly(packed({ kind: ExactKind.ToBoundedIntegral, format: exactFormatOfType(sz), detail }));
          });
        });
      });
    },
  ),
  insn(
    'FRINT32Z, FRINT32X, FRINT64Z, FRINT64X (vector)',
    '0 Q X 01110 0 sz 10000 1111 W 10 Rn:5 Rd:5',
    (f) => {
      if (f.sz === 1 && f.Q === 0) return undefined;
      return { variant: [f.sz, keptByQ(f.Q), f.W, f.X], d: vRegister(f.Rd), n: vRegister(f.Rn) };
    },
    (code, sz = 0, kept = 16, wide = 0, exact = 0) => {
      const detail = detailOf(wide, exact);
      const shape = floatShape(sz);
      const n = code.let(code.q('n'));
      const whole = code.let(roundedLanes(code, shape, n, generatedMode(detail)));
      const fits = code.let(shape.gt(shape.all(bound(wide)), shape.abs(whole)));
      const isExact = (): V128 => v128.and(fits, shape.eq(whole, n));
      const computed = { value: whole, right: fits, inexact: true, exact: isExact };
      const form = { format: exactFormat(sz + 2), lanes: kept >> (sz + 2), detail };
      writeRight(code, kept, computed, { operation: packed({ kind: ExactKind.ToBoundedIntegral, ...form }) });
    },
  ),
];
