import { insn, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';
import { laneBytes } from '../simd/vector.ts';
import { choose, majority, registers, rotateLanesLeft, rotations, setWords, sum, words } from './words.ts';

/** Four rounds of SHA-256 (FIPS 180-4, section 6.2.2): SHA256H keeps the words a to d, SHA256H2 e to h. */
function rounds(code: Lowering, keepsFirst: boolean): void {
  let [a, b, c, d] = words(code, keepsFirst ? 'd' : 'n');
  let [e, f, g, h] = words(code, keepsFirst ? 'n' : 'd');
  for (const scheduled of words(code, 'm')) {
    const first = code.let(sum(h, rotations(e, 32 - 6, 32 - 11, 32 - 25), choose(e, f, g), scheduled));
    const second = sum(rotations(a, 32 - 2, 32 - 13, 32 - 22), majority(a, b, c));
    const [nextA, nextE] = [code.let(i32.add(first, second)), code.let(i32.add(d, first))];
    [a, b, c, d, e, f, g, h] = [nextA, a, b, c, nextE, e, f, g];
  }
  setWords(code, keepsFirst ? [a, b, c, d] : [e, f, g, h]);
}

const shape = integerShape(2);

/** Lanes rotated right twice and shifted right: the functions of the message schedule. */
function schedule(value: V128, first: number, second: number, shift: number): V128 {
  const rotated = v128.xor(rotateLanesLeft(value, 32 - first), rotateLanesLeft(value, 32 - second));
  return v128.xor(rotated, shape.shrU(value, i32.const(shift)));
}

/** Secure hash SHA-256: FEAT_SHA256 (Arm ARM, C4.1.96). */
export const sha256: readonly Definition[] = [
  insn(
    'SHA256H, SHA256H2',
    '0101 1110 000 Rm:5 0 10 P 00 Rn:5 Rd:5',
    (f) => ({ variant: [f.P], ...registers(f) }),
    (code, second = 0) => {
      rounds(code, second === 0);
    },
  ),
  insn(
    'SHA256SU0',
    '0101 1110 00 10100 00010 10 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      const d = code.let(code.q('d'));
      const following = code.let(v128.shuffle(d, code.q('n'), laneBytes(4, [1, 2, 3, 4])));
      code.setQ('d', shape.add(d, schedule(following, 7, 18, 3)));
    },
  ),
  insn(
    'SHA256SU1',
    '0101 1110 000 Rm:5 0 110 00 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      const m = code.let(code.q('m'));
      const base = code.let(shape.add(code.q('d'), v128.shuffle(code.q('n'), m, laneBytes(4, [1, 2, 3, 4]))));
      // The upper two words of the result depend on the lower two.
      const half = (source: V128): V128 => code.let(shape.add(base, schedule(source, 17, 19, 10)));
      const low = half(code.let(v128.shuffle(m, m, laneBytes(8, [1, 1]))));
      const high = half(code.let(v128.shuffle(low, low, laneBytes(8, [0, 0]))));
      code.setQ('d', v128.shuffle(low, high, laneBytes(8, [0, 3])));
    },
  ),
];
