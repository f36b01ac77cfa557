import { insn, vElement, vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i64, v128, type I64 } from '../../wasm/expr.ts';

/** Every fourth bit, from each of the lowest four. */
const masks = [0x1111_1111_1111_1111n, 0x2222_2222_2222_2222n, 0x4444_4444_4444_4444n, 0x8888_8888_8888_8888n];

/**
 * Returns a function that multiplies polynomials over {0, 1} of degree up to 31. In a product of integers that have
 * every fourth bit only, at most eight ones meet in a place, and their sum stays below the next place in use: the low
 * bit of each is that of the polynomial.
 */
function multiplier(code: Lowering): (n: I64, m: I64) => I64 {
  const selected = masks.map((mask) => code.let(i64.const(mask)));
  const parts = (value: I64): I64[] => selected.map((mask) => code.let(i64.and(value, mask)));
  return (n, m) => {
    const [ns, ms] = [parts(n), parts(m)];
    const places = selected.map((mask, place) => {
      const products = ns.map((part, index) => i64.mul(part, ms[(place - index) & 3] ?? part));
      return i64.and(
        products.reduce((sum, product) => i64.xor(sum, product)),
        mask,
      );
    });
    return code.let(places.reduce((sum, bits) => i64.or(sum, bits)));
  };
}

const LOW_HALF = i64.const(0xffff_ffffn);
const HALF_BITS = i64.const(32n);

/** Multiplication of 64-bit polynomials: the second part of FEAT_PMULL (Arm ARM, C4.1.96). */
export const polynomial: readonly Definition[] = [
  insn(
    'PMULL, PMULL2 (64-bit)',
    '0 Q 0 01110 11 1 Rm:5 1110 00 Rn:5 Rd:5',
    ({ Q, Rm, Rn, Rd }) => ({ variant: [], d: vRegister(Rd), n: vElement(Rn, 8, Q), m: vElement(Rm, 8, Q) }),
    (code) => {
      const halves = (value: I64) => {
        const whole = code.let(value);
        return { low: code.let(i64.and(whole, LOW_HALF)), high: code.let(i64.shrU(whole, HALF_BITS)) };
      };
      const n = halves(code.element('n', 8, 0));
      const m = halves(code.element('m', 8, 0));
      const multiply = multiplier(code);
      const low = multiply(n.low, m.low);
      const high = multiply(n.high, m.high);
      // The two mixed products from one, as Karatsuba has it.
      const mixed = multiply(code.let(i64.xor(n.low, n.high)), code.let(i64.xor(m.low, m.high)));
      const middle = code.let(i64.xor(mixed, i64.xor(low, high)));
      const bottom = i64.xor(low, i64.shl(middle, HALF_BITS));
      const top = i64.xor(high, i64.shrU(middle, HALF_BITS));
      code.setQ('d', v128.replaceI64(v128.splatI64(bottom), 1, top));
    },
  ),
];
