import { insn, vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import type { FloatShape } from '../../wasm/vector.ts';
import { indexedElement, indexedOperands } from './by-element.ts';
import { floatShape } from './float-width.ts';
import { arithmetic, multiplyAdd } from './fp-vector.ts';
import { keptByQ, laneBytes, type Kept } from './vector.ts';

/** Complex numbers: pairs of elements, of which the even one is the real part. */

function rearranged(code: Lowering, shape: FloatShape, value: V128, from: (lane: number) => number): V128 {
  const lanes = Array.from({ length: 16 / shape.bytes }, (_, lane) => from(lane));
  return code.let(v128.shuffle(value, value, laneBytes(shape.bytes, lanes)));
}

/** Negates the real or imaginary parts, or both. */
function negated(code: Lowering, shape: FloatShape, value: V128, real: boolean, imaginary: boolean): V128 {
  const signs = Array.from({ length: 16 }, (_, at) => {
    const negative = Math.floor(at / shape.bytes) % 2 === 0 ? real : imaginary;
    return negative && at % shape.bytes === shape.bytes - 1 ? 0x80 : 0;
  });
  return code.let(v128.xor(value, v128.const(signs)));
}

/** A local times i, -1 or -i: rotated by so many quarter turns, of which there are 0 to 3. */
function rotated(code: Lowering, shape: FloatShape, value: V128, quarters: number): V128 {
  const parts = (quarters & 1) === 1 ? rearranged(code, shape, value, (lane) => lane ^ 1) : value;
  if (quarters === 0) return parts;
  return negated(code, shape, parts, quarters !== 3, quarters !== 1);
}

/**
 * FCMLA: adds the products of one part of each number of Vn, the real one for 0 and 2 quarter turns, with the rotated
 * numbers of Vm.
 */
function multiplyPart(code: Lowering, sz: number, kept: Kept, quarters: number, m: V128): void {
  const shape = floatShape(sz);
  const n = code.let(code.q('n'));
  const part = rearranged(code, shape, n, (lane) => (lane & ~1) + (quarters & 1));
  multiplyAdd(false)({ code, sz, shape, kept, n: part, m: rotated(code, shape, m, quarters) });
}

/** Sizes of elements; half precision, 1, is not there. */
function precision(size: number, Q: number): number | undefined {
  return size < 2 || (size === 3 && Q === 0) ? undefined : size - 2;
}

/** Complex addition and multiplication: FEAT_FCMA without half precision (Arm ARM, C4.1.96). */
export const complex: readonly Definition[] = [
  insn(
    'FCADD',
    '0 Q 1 01110 size:2 0 Rm:5 1 11 rot 0 1 Rn:5 Rd:5',
    ({ Q, size, Rm, rot, Rn, Rd }) => {
      const sz = precision(size, Q);
      if (sz === undefined) return undefined;
      return { variant: [sz, keptByQ(Q), rot * 2 + 1], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, sz = 0, kept = 16, quarters = 1) => {
      const shape = floatShape(sz);
      const n = code.let(code.q('n'));
      const m = rotated(code, shape, code.let(code.q('m')), quarters);
      arithmetic(({ add }) => add)({ code, sz, shape, kept, n, m });
    },
  ),
  insn(
    'FCMLA (vector)',
    '0 Q 1 01110 size:2 0 Rm:5 1 10 rot:2 1 Rn:5 Rd:5',
    ({ Q, size, Rm, rot, Rn, Rd }) => {
      const sz = precision(size, Q);
      if (sz === undefined) return undefined;
      return { variant: [sz, keptByQ(Q), rot], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, sz = 0, kept = 16, quarters = 0) => {
      multiplyPart(code, sz, kept, quarters, code.let(code.q('m')));
    },
  ),
  insn(
    'FCMLA (by element)',
    '0 1 1 01111 10 0 M Rm:4 0 rot:2 1 H 0 Rn:5 Rd:5',
    // A number takes the place of one 64-bit element.
    (f) => ({ variant: [f.rot], ...indexedOperands({ ...f, L: 0 }, 3) }),
    (code, quarters = 0) => {
      multiplyPart(code, 0, 16, quarters, indexedElement(code, 3));
    },
  ),
];
