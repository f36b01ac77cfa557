import { insn, vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import type { FloatShape } from '../../wasm/lane-shapes.ts';
import { ExactKind, packed, Source } from '../../float/operation.ts';
import { indexedElement, indexedOperands } from './by-element.ts';
import { exactFormat, type Computed } from './exactness.ts';
import { atSize, multiplyAdd, sum, type Operands } from './fp-arithmetic.ts';
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
function multiplyPart(operands: Operands, quarters: number): Computed {
  const { code, shape, n, m } = operands;
  const part = rearranged(code, shape, n, (lane) => (lane & ~1) + (quarters & 1));
  return multiplyAdd(false)({ ...operands, n: part, m: rotated(code, shape, m, quarters) });
}

function addRotated(operands: Operands, quarters: number): Computed {
  const { code, shape, m } = operands;
  return sum(false)({ ...operands, m: rotated(code, shape, m, quarters) });
}

/** Sizes of elements, 1 to 3. */
function isAllocated(size: number, Q: number): boolean {
  return size > 0 && (size < 3 || Q === 1);
}

/** The number in an element of Vm, which has twice the size, in all lanes. */
function indexedNumber(code: Lowering, size: number): V128 {
  return indexedElement(code, size + 1);
}

interface Form {
  readonly size: number;
  readonly kept: Kept;
  readonly quarters: number;
  readonly source?: number;
}

function add(code: Lowering, { size, kept, quarters }: Form): void {
  const lower = (operands: Operands): Computed => addRotated(operands, quarters);
  const format = exactFormat(size);
  const operation = packed({ kind: ExactKind.ComplexAdd, format, lanes: kept >> size, detail: quarters });
  atSize(code, size, kept, code.let(code.q('n')), code.let(code.q('m')), lower, { operation });
}

function multiplyAndAdd(code: Lowering, { size, kept, quarters, source = Source.Lanes }: Form): void {
  const lower = (operands: Operands): Computed => multiplyPart(operands, quarters);
  const form = { format: exactFormat(size), lanes: kept >> size, source, detail: quarters };
  const operation = packed({ kind: ExactKind.ComplexMultiplyAdd, ...form });
  const m = source === Source.Element ? indexedNumber(code, size) : code.let(code.q('m'));
  atSize(code, size, kept, code.let(code.q('n')), m, lower, { operation });
}

/** FEAT_FCMA: complex addition and multiplication (Arm ARM, C4.1.96). */
export const complex: readonly Definition[] = [
  insn(
    'FCADD',
    '0 Q 1 01110 size:2 0 Rm:5 1 11 rot 0 1 Rn:5 Rd:5',
    ({ Q, size, Rm, rot, Rn, Rd }) => {
      if (!isAllocated(size, Q)) return undefined;
      return { variant: [size, keptByQ(Q), rot * 2 + 1], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, size = 2, kept = 16, quarters = 1) => {
      add(code, { size, kept, quarters });
    },
  ),
  insn(
    'FCMLA (vector)',
    '0 Q 1 01110 size:2 0 Rm:5 1 10 rot:2 1 Rn:5 Rd:5',
    ({ Q, size, Rm, rot, Rn, Rd }) => {
      if (!isAllocated(size, Q)) return undefined;
      return { variant: [size, keptByQ(Q), rot], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, size = 2, kept = 16, quarters = 0) => {
      multiplyAndAdd(code, { size, kept, quarters });
    },
  ),
  insn(
    'FCMLA (by element)',
    '0 1 1 01111 10 0 M Rm:4 0 rot:2 1 H 0 Rn:5 Rd:5',
    // A number takes the place of one 64-bit element.
    (f) => ({ variant: [f.rot], ...indexedOperands({ ...f, L: 0 }, 3) }),
    (code, quarters = 0) => {
      multiplyAndAdd(code, { size: 2, kept: 16, quarters, source: Source.Element });
    },
  ),
  insn(
    'FCMLA (by element, half-precision)',
    '0 Q 1 01111 01 L M Rm:4 0 rot:2 1 H 0 Rn:5 Rd:5',
    (f) => (f.Q === 0 && f.H === 1 ? undefined : { variant: [keptByQ(f.Q), f.rot], ...indexedOperands(f, 2) }),
    (code, kept = 16, quarters = 0) => {
      multiplyAndAdd(code, { size: 1, kept, quarters, source: Source.Element });
    },
  ),
];
