import { insn, vRegister, type Definition } from '../definition.ts';
import { i32, v128 } from '../../wasm/expr.ts';
import { atPrecision, floatShape, rounded, roundedLanes, Rounding } from './float-width.ts';
import { keptByQ, write } from './vector.ts';

/**
 * Rounding to numbers that are signed integers of 32 or 64 bits: what is none, NaN included, becomes the most negative
 * one. FRINT32X and FRINT64X use the mode in FPCR, which is always round to nearest.
 */

/** The bound of the integers, by the bit that selects their size. */
function bound(wide: number): number {
  return wide === 1 ? 2 ** 63 : 2 ** 31;
}

function mode(exact: number): number {
  return exact === 1 ? Rounding.Nearest : Rounding.Zero;
}

/** FEAT_FRINTTS (Arm ARM, C4.1.96). */
export const boundedRounding: readonly Definition[] = [
  insn(
    'FRINT32Z, FRINT32X, FRINT64Z, FRINT64X (scalar)',
    '0 0 0 11110 0 sz 1 0100 W X 10000 Rn:5 Rd:5',
    (f) => ({ variant: [f.sz, f.W, f.X], d: vRegister(f.Rd), n: vRegister(f.Rn) }),
    (code, sz = 0, wide = 0, exact = 0) => {
      atPrecision(sz, (width) => {
        const n = width.let(code, width.read(code, 'n'));
        const whole = width.let(code, rounded(code, width, n, mode(exact)));
        const least = width.const(-bound(wide));
        const fits = i32.and(width.ge(whole, least), width.lt(whole, width.const(bound(wide))));
        width.write(code, width.select(fits, whole, least));
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
      const shape = floatShape(sz);
      const whole = code.let(roundedLanes(code, shape, code.let(code.q('n')), mode(exact)));
      const least = shape.all(-bound(wide));
      const fits = v128.and(shape.ge(whole, least), shape.gt(shape.all(bound(wide)), whole));
      write(code, v128.bitselect(whole, least, fits), kept);
    },
  ),
];
