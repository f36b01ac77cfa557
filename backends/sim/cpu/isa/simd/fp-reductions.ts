import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import type { V128 } from '../../wasm/expr.ts';
import { f32x4, type FloatShape } from '../../wasm/lane-shapes.ts';
import { ExactKind, packed } from '../../float/operation.ts';
import { exactFormat, ifRight, writeRight } from './exactness.ts';
import { finiteLanes, floatShape } from './float-width.ts';
import { boundsOf } from './fp-arithmetic.ts';
import { narrowed, widened } from './half.ts';
import { laneBytes, pick, row, write, type Size } from './vector.ts';

type Combine = (shape: FloatShape) => (n: V128, m: V128) => V128;

/** Combines each lane with the one `distance` lanes above it. */
function folded(code: Lowering, shape: FloatShape, value: V128, distance: number, combine: Combine): V128 {
  const above = Array.from({ length: 16 / shape.bytes }, (_, lane) => (lane + distance) % (16 / shape.bytes));
  return code.let(combine(shape)(value, code.let(pick(code, [value], laneBytes(shape.bytes, above)))));
}

interface Reduction {
  readonly name: string;
  readonly a: '0' | '1';
  readonly opcode: string;
  readonly kind: number;
  readonly combine: Combine;
}

/** Writes a reduction of `lanes` elements, whose result is in the lowest lane. */
function writeReduced(code: Lowering, size: Size, lanes: number, { kind }: Reduction, reduced: V128): void {
  const shape = floatShape(size === 3 ? 1 : 0);
  const isSum = kind === ExactKind.Add;
  // A NaN in any lane makes the result NaN.
  const right = isSum ? finiteLanes(shape, reduced, boundsOf(size)) : shape.eq(reduced, reduced);
  const computed = { value: reduced, right, inexact: isSum };
  const exactly = { operation: packed({ kind: ExactKind.Reduce, format: exactFormat(size), lanes, detail: kind }) };
  if (size > 1) return writeRight(code, 1 << size, computed, exactly);
  const use = (): void => {
    write(code, narrowed(code, reduced), 2);
  };
  ifRight(code, [computed], 4, use, exactly);
}

/** Floating-point pairwise scalars and across lanes (Arm ARM, C4.1.96). */
export const fpReductions: readonly Definition[] = (
  [
    { name: 'FMAXNM', a: '0', opcode: '01100', kind: ExactKind.MaximumNumber, combine: ({ max }) => max },
    { name: 'FMINNM', a: '1', opcode: '01100', kind: ExactKind.MinimumNumber, combine: ({ min }) => min },
    { name: 'FADD', a: '0', opcode: '01101', kind: ExactKind.Add, combine: ({ add }) => add },
    { name: 'FMAX', a: '0', opcode: '01111', kind: ExactKind.Maximum, combine: ({ max }) => max },
    { name: 'FMIN', a: '1', opcode: '01111', kind: ExactKind.Minimum, combine: ({ min }) => min },
  ] satisfies readonly Reduction[]
).flatMap((reduction: Reduction) => {
  const { name, a, opcode, combine } = reduction;
  const scalarPair = row<'sz' | 'Rn' | 'Rd'>(
    `${name}P (scalar)`,
    `01 1 11110 ${a} sz 11000 ${opcode} 10 Rn:5 Rd:5`,
    ({ sz, Rn, Rd }) => ({ variant: [sz], d: vRegister(Rd), n: vRegister(Rn) }),
    (code, sz = 0) => {
      writeReduced(code, sz + 2, 2, reduction, folded(code, floatShape(sz), code.let(code.q('n')), 1, combine));
    },
  );
  const halfPair = row<'Rn' | 'Rd'>(
    `${name}P (scalar, half-precision)`,
    `01 0 11110 ${a} 0 11000 ${opcode} 10 Rn:5 Rd:5`,
    ({ Rn, Rd }) => ({ variant: [], d: vRegister(Rd), n: vRegister(Rn) }),
    (code) => {
      const n = widened(code, code.let(code.q('n')), false);
      writeReduced(code, 1, 2, reduction, folded(code, f32x4, n, 1, combine));
    },
  );
  if (name === 'FADD') return [scalarPair, halfPair];
  const across = row<'Rn' | 'Rd'>(
    `${name}V`,
    `0 1 1 01110 ${a} 0 11000 ${opcode} 10 Rn:5 Rd:5`,
    ({ Rn, Rd }) => ({ variant: [], d: vRegister(Rd), n: vRegister(Rn) }),
    (code) => {
      // Reduce of the pseudocode splits the vector in halves, so neighbours are combined first.
      const neighbours = folded(code, f32x4, code.let(code.q('n')), 1, combine);
      writeReduced(code, 2, 4, reduction, folded(code, f32x4, neighbours, 2, combine));
    },
  );
  const halfAcross = row<'Q' | 'Rn' | 'Rd'>(
    `${name}V (half-precision)`,
    `0 Q 0 01110 ${a} 0 11000 ${opcode} 10 Rn:5 Rd:5`,
    ({ Q, Rn, Rd }) => ({ variant: [Q], d: vRegister(Rd), n: vRegister(Rn) }),
    (code, Q = 1) => {
      const n = code.let(code.q('n'));
      const four = (high: boolean): V128 => {
        const neighbours = folded(code, f32x4, widened(code, n, high), 1, combine);
        return folded(code, f32x4, neighbours, 2, combine);
      };
      const low = four(false);
      const reduced = Q === 1 ? code.let(combine(f32x4)(low, four(true))) : low;
      writeReduced(code, 1, Q === 1 ? 8 : 4, reduction, reduced);
    },
  );
  return [scalarPair, across, halfPair, halfAcross];
});
