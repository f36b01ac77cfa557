import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, type V128 } from '../../wasm/expr.ts';
import { integerShape, wideningFrom } from '../../wasm/lane-shapes.ts';
import { indexedElement, indexedOperands, type IndexedFields } from './by-element.ts';
import { bounded, Narrowing } from './saturation.ts';
import { keptByQ, narrowBytes, pick, row, write, zeroVector, type Kept, type Size } from './vector.ts';

/** SQRDMLAH and SQRDMLSH: only the final result saturates, not the product. Sizes 1 and 2. */
function accumulateHigh(code: Lowering, size: Size, kept: Kept, subtract: boolean, m: V128): void {
  const shape = integerShape(size);
  const wide = integerShape(size + 1);
  const widening = wideningFrom(size);
  const d = code.let(code.q('d'));
  const n = code.let(code.q('n'));
  // Half of what the pseudocode adds, which cannot overflow: the product is not doubled.
  const half = (upper: boolean): V128 => {
    const addend = wide.shl(widening.extend(true, upper, d), i32.const(shape.bits - 1));
    const sum = (subtract ? wide.sub : wide.add)(addend, widening.multiply(true, upper, n, m));
    const rounded = wide.add(sum, wide.all(1n << BigInt(shape.bits - 2)));
    const result = wide.shrS(rounded, i32.const(shape.bits - 1));
    return bounded(code, size + 1, Math.min(kept, 8), Narrowing.Signed, result);
  };
  const high = kept === 16 ? half(true) : zeroVector;
  write(code, pick(code, [half(false), high], narrowBytes(shape.bytes)), kept);
}

type Fields = 'Q' | 'size' | 'Rm' | 'S' | 'Rn' | 'Rd';
type FieldValues = Readonly<Record<Fields, number>>;

function decoded(f: FieldValues, kept: Kept) {
  if (f.size !== 1 && f.size !== 2) return undefined;
  return { variant: [f.size, kept, f.S], d: vRegister(f.Rd), n: vRegister(f.Rn), m: vRegister(f.Rm) };
}

function decodedByElement(f: Readonly<Record<IndexedFields | 'S', number>>, kept: Kept) {
  if (f.size !== 1 && f.size !== 2) return undefined;
  return { variant: [f.size, kept, f.S], ...indexedOperands(f, f.size) };
}

function lower(code: Lowering, size = 1, kept = 16, subtract = 0): void {
  accumulateHigh(code, size, kept, subtract === 1, code.let(code.q('m')));
}

function lowerByElement(code: Lowering, size = 1, kept = 16, subtract = 0): void {
  accumulateHigh(code, size, kept, subtract === 1, indexedElement(code, size));
}

/** Rounding doubling multiply and accumulate: FEAT_RDM (Arm ARM, C4.1.96). */
export const doublingAccumulate: readonly Definition[] = [
  row<Fields>(
    'SQRDMLAH, SQRDMLSH (vector)',
    '0 Q 1 01110 size:2 0 Rm:5 1 000 S 1 Rn:5 Rd:5',
    (f) => decoded(f, keptByQ(f.Q)),
    lower,
  ),
  row<Fields>(
    'SQRDMLAH, SQRDMLSH (vector, scalar)',
    '01 1 11110 size:2 0 Rm:5 1 000 S 1 Rn:5 Rd:5',
    (f) => decoded(f, 1 << f.size),
    lower,
  ),
  row<IndexedFields | 'S'>(
    'SQRDMLAH, SQRDMLSH (by element)',
    '0 Q 1 01111 size:2 L M Rm:4 11 S 1 H 0 Rn:5 Rd:5',
    (f) => decodedByElement(f, keptByQ(f.Q)),
    lowerByElement,
  ),
  row<IndexedFields | 'S'>(
    'SQRDMLAH, SQRDMLSH (by element, scalar)',
    '01 1 11111 size:2 L M Rm:4 11 S 1 H 0 Rn:5 Rd:5',
    (f) => decodedByElement(f, 1 << f.size),
    lowerByElement,
  ),
];
