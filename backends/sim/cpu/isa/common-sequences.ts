import { atWidth, type Width, type Word } from './arithmetic.ts';
import { insn, xDest, xSource, type Definition } from './definition.ts';
import { i32, i64 } from '../wasm/expr.ts';

/** Which of two numbers: the larger or smaller, as signed or unsigned ones. */
function choose<T extends Word>(w: Width<T>, n: T, m: T, minimum: number, unsigned: number): T {
  const below = unsigned === 1 ? w.ltU : w.ltS;
  return minimum === 1 ? w.select(below(n, m), n, m) : w.select(below(m, n), n, m);
}

/** FEAT_CSSC: what took several instructions before (Arm ARM, C4.1.93 and C4.1.95). */
export const commonSequences: readonly Definition[] = [
  insn(
    'ABS (general)',
    'sf 1 0 11010110 00000 001000 Rn:5 Rd:5',
    ({ sf, Rn, Rd }) => ({ variant: [sf], d: xDest(Rd), n: xSource(Rn) }),
    (code, sf) => {
      atWidth(sf, (w) => {
        const n = w.let(code, w.read(code, 'n'));
        const sign = w.let(code, w.shrS(n, w.const(BigInt(w.bits - 1))));
        w.write(code, 'd', w.sub(w.xor(n, sign), sign));
      });
    },
  ),
  insn(
    'CTZ, CNT',
    'sf 1 0 11010110 00000 00011 count Rn:5 Rd:5',
    ({ sf, count, Rn, Rd }) => ({ variant: [sf, count], d: xDest(Rd), n: xSource(Rn) }),
    (code, sf, count) => {
      if (sf === 1) code.setX('d', (count === 1 ? i64.popcnt : i64.ctz)(code.x('n')));
      else code.setW('d', (count === 1 ? i32.popcnt : i32.ctz)(code.w('n')));
    },
  ),
  insn(
    'SMAX, SMIN, UMAX, UMIN (register)',
    'sf 0 0 11010110 Rm:5 0110 minimum unsigned Rn:5 Rd:5',
    ({ sf, minimum, unsigned, Rm, Rn, Rd }) => ({
      variant: [sf, minimum, unsigned],
      d: xDest(Rd),
      n: xSource(Rn),
      m: xSource(Rm),
    }),
    (code, sf, minimum, unsigned) => {
      atWidth(sf, (w) => {
        const [n, m] = [w.let(code, w.read(code, 'n')), w.let(code, w.read(code, 'm'))];
        w.write(code, 'd', choose(w, n, m, minimum, unsigned));
      });
    },
  ),
  insn(
    'SMAX, SMIN, UMAX, UMIN (immediate)',
    'sf 0 0 1000111 00 minimum unsigned imm8:8 Rn:5 Rd:5',
    ({ sf, minimum, unsigned, imm8, Rn, Rd }) => ({
      variant: [sf, minimum, unsigned],
      d: xDest(Rd),
      n: xSource(Rn),
      imm: BigInt.asUintN(64, unsigned === 1 ? BigInt(imm8) : BigInt.asIntN(8, BigInt(imm8))),
    }),
    (code, sf, minimum, unsigned) => {
      atWidth(sf, (w) => {
        const n = w.let(code, w.read(code, 'n'));
        w.write(code, 'd', choose(w, n, w.imm(code), minimum, unsigned));
      });
    },
  ),
];
