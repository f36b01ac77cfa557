import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { f64, i64, v128, type V128 } from '../../wasm/expr.ts';
import { f32x4, integerShape, type FloatShape } from '../../wasm/lane-shapes.ts';
import { ComparisonDetail, ExactKind, MultiplyAddDetail, packed, Source } from '../../float/operation.ts';
import {
  indexedElement,
  indexedOperands,
  indexedPatterns,
  type IndexedFields,
  type IndexedValues,
} from './by-element.ts';
import { exactFormat, ifRight, writeRight, type Computed, type Exactly } from './exactness.ts';
import { finiteLanes, floatShape, FORMAT_BOUNDS, normalLanes, type FormatBounds } from './float-width.ts';
import { fusedDouble, fusedHalfLanes, fusedSingleLanes } from './fused.ts';
import { atHalf, narrowed, widened } from './half.ts';
import { pairs } from './three-same.ts';
import { keptByQ, laneBytes, pick, row, write, type Kept, type Size } from './vector.ts';

export interface Operands {
  readonly code: Lowering;
  readonly shape: FloatShape;
  /** Those of the format, which is half precision where singles are halves. */
  readonly bounds: FormatBounds;
  readonly kept: Kept;
  readonly n: V128;
  readonly m: V128;
  /** The old value of the destination. */
  readonly addend: () => V128;
}

type Binary = (operands: Operands) => Computed;

function boundsOf(size: Size): FormatBounds {
  return size === 1 ? FORMAT_BOUNDS.half : size === 3 ? FORMAT_BOUNDS.double : FORMAT_BOUNDS.single;
}

/** A sum, or a difference, which is exact where it is denormal. */
export function sum(negative: boolean): Binary {
  return ({ code, shape, bounds, n, m }) => {
    const second = negative ? code.let(shape.neg(m)) : m;
    const value = code.let(shape.add(n, second));
    const computed = { value, right: finiteLanes(shape, value, bounds), inexact: true };
    return bounds === FORMAT_BOUNDS.half
      ? computed
      : { ...computed, exact: () => code.areSums(shape.bytes, n, second, value) };
  };
}

/** Lanes that are zero because a factor is: of halves, no others are known to be exact. */
function zeroProducts(shape: FloatShape, n: V128, m: V128, products: V128): V128 {
  const eitherIsZero = v128.or(shape.eq(n, shape.all(0)), shape.eq(m, shape.all(0)));
  const isProduct = v128.and(shape.eq(products, shape.all(0)), shape.eq(shape.mul(n, m), products));
  return v128.and(eitherIsZero, isProduct);
}

const product: Binary = ({ code, shape, bounds, n, m }) => {
  const value = code.let(shape.mul(n, m));
  const exact = (): V128 =>
    bounds === FORMAT_BOUNDS.half ? zeroProducts(shape, n, m, value) : code.areProducts(shape.bytes, n, m, value);
  return { value, right: normalLanes(shape, value, bounds), inexact: true, exact };
};

const quotient: Binary = ({ code, shape, bounds, n, m }) => {
  const value = code.let(shape.div(n, m));
  const exact = (): V128 =>
    bounds === FORMAT_BOUNDS.half ? zeroProducts(shape, value, m, n) : code.areProducts(shape.bytes, value, m, n);
  return { value, right: normalLanes(shape, value, bounds), inexact: true, exact };
};

/** FMAX and FMIN; also FMAXNM and FMINNM, which are the same without NaNs. */
function extremum(operation: (shape: FloatShape) => (a: V128, b: V128) => V128): Binary {
  return ({ code, shape, n, m }) => {
    const value = code.let(operation(shape)(n, m));
    return { value, right: shape.eq(value, value), inexact: false };
  };
}

function comparison(compare: (operands: Operands) => V128): Binary {
  return (operands) => {
    const { shape, n, m } = operands;
    const right = v128.and(shape.eq(n, n), shape.eq(m, m));
    return { value: compare(operands), right, inexact: false };
  };
}

const absoluteDifference: Binary = (operands) => {
  const computed = sum(true)(operands);
  return { ...computed, value: operands.shape.abs(computed.value) };
};

/** Vd plus the products of Vn, negated or not, and Vm. Both factors are locals. */
export function multiplyAdd(negative: boolean): Binary {
  return ({ code, shape, bounds, kept, n: factor, m, addend: read }) => {
    const addend = code.let(read());
    const n = negative ? code.let(shape.neg(factor)) : factor;
    const fused =
      shape.bytes === 8
        ? fusedDoubleLanes(code, addend, n, m, kept)
        : bounds === FORMAT_BOUNDS.half
          ? fusedHalfLanes(code, addend, n, m)
          : fusedSingleLanes(code, addend, n, m, kept <= 8);
    const value = code.let(fused);
    const exact = (): V128 => {
      const products = code.let(shape.mul(n, m));
      if (bounds === FORMAT_BOUNDS.half) {
        return v128.and(zeroProducts(shape, n, m, products), shape.eq(value, addend));
      }
      return v128.and(
        code.areProducts(shape.bytes, n, m, products),
        code.areSums(shape.bytes, products, addend, value),
      );
    };
    return { value, right: normalLanes(shape, value, bounds), inexact: true, exact };
  };
}

/** Lanes for which `fusedDouble` is not right are infinite. */
function fusedDoubleLanes(code: Lowering, addend: V128, n: V128, m: V128, kept: Kept): V128 {
  const lane = (value: V128, index: number) => code.let(f64.reinterpret(v128.extractI64(value, index)));
  const results = Array.from({ length: kept / 8 }, (_, index) => {
    const { value, right } = fusedDouble(code, lane(addend, index), lane(n, index), lane(m, index));
    return code.let(f64.select(right, value, f64.const(Infinity)));
  });
  const [low, high] = results;
  const first = v128.splatF64(low ?? f64.const(0));
  return high === undefined ? first : v128.replaceI64(first, 1, i64.reinterpretF64(high));
}

interface Family {
  readonly name: string;
  readonly U: '0' | '1';
  /** The high bit of the `size` field. */
  readonly a: '0' | '1';
  readonly opcode: string;
  readonly scalar?: boolean;
  /** Whether the operands are neighbours in the concatenation of both registers. */
  readonly pairwise?: boolean;
  /** In the exact unit. */
  readonly kind: number;
  readonly detail?: number;
  /** Undefined if all is left to the exact unit. */
  readonly lower?: Binary;
}

const families: readonly Family[] = [
  {
    name: 'FMAXNM (vector)',
    U: '0',
    a: '0',
    opcode: '11000',
    kind: ExactKind.MaximumNumber,
    lower: extremum(({ max }) => max),
  },
  {
    name: 'FMINNM (vector)',
    U: '0',
    a: '1',
    opcode: '11000',
    kind: ExactKind.MinimumNumber,
    lower: extremum(({ min }) => min),
  },
  { name: 'FMLA (vector)', U: '0', a: '0', opcode: '11001', kind: ExactKind.MultiplyAdd, lower: multiplyAdd(false) },
  {
    name: 'FMLS (vector)',
    U: '0',
    a: '1',
    opcode: '11001',
    kind: ExactKind.MultiplyAdd,
    detail: MultiplyAddDetail.NegateProduct,
    lower: multiplyAdd(true),
  },
  { name: 'FADD (vector)', U: '0', a: '0', opcode: '11010', kind: ExactKind.Add, lower: sum(false) },
  { name: 'FSUB (vector)', U: '0', a: '1', opcode: '11010', kind: ExactKind.Subtract, lower: sum(true) },
  { name: 'FMULX', U: '0', a: '0', opcode: '11011', scalar: true, kind: ExactKind.MultiplyExtended, lower: product },
  {
    name: 'FCMEQ (register)',
    U: '0',
    a: '0',
    opcode: '11100',
    scalar: true,
    kind: ExactKind.CompareEqual,
    lower: comparison(({ shape, n, m }) => shape.eq(n, m)),
  },
  {
    name: 'FMAX (vector)',
    U: '0',
    a: '0',
    opcode: '11110',
    kind: ExactKind.Maximum,
    lower: extremum(({ max }) => max),
  },
  {
    name: 'FMIN (vector)',
    U: '0',
    a: '1',
    opcode: '11110',
    kind: ExactKind.Minimum,
    lower: extremum(({ min }) => min),
  },
  { name: 'FRECPS', U: '0', a: '0', opcode: '11111', scalar: true, kind: ExactKind.ReciprocalStep },
  { name: 'FRSQRTS', U: '0', a: '1', opcode: '11111', scalar: true, kind: ExactKind.RootStep },
  {
    name: 'FMAXNMP (vector)',
    U: '1',
    a: '0',
    opcode: '11000',
    pairwise: true,
    kind: ExactKind.MaximumNumber,
    lower: extremum(({ max }) => max),
  },
  {
    name: 'FMINNMP (vector)',
    U: '1',
    a: '1',
    opcode: '11000',
    pairwise: true,
    kind: ExactKind.MinimumNumber,
    lower: extremum(({ min }) => min),
  },
  {
    name: 'FADDP (vector)',
    U: '1',
    a: '0',
    opcode: '11010',
    pairwise: true,
    kind: ExactKind.Add,
    lower: sum(false),
  },
  {
    name: 'FABD',
    U: '1',
    a: '1',
    opcode: '11010',
    scalar: true,
    kind: ExactKind.AbsoluteDifference,
    lower: absoluteDifference,
  },
  { name: 'FMUL (vector)', U: '1', a: '0', opcode: '11011', kind: ExactKind.Multiply, lower: product },
  {
    name: 'FCMGE (register)',
    U: '1',
    a: '0',
    opcode: '11100',
    scalar: true,
    kind: ExactKind.CompareGreaterOrEqual,
    lower: comparison(({ shape, n, m }) => shape.ge(n, m)),
  },
  {
    name: 'FCMGT (register)',
    U: '1',
    a: '1',
    opcode: '11100',
    scalar: true,
    kind: ExactKind.CompareGreater,
    lower: comparison(({ shape, n, m }) => shape.gt(n, m)),
  },
  {
    name: 'FACGE',
    U: '1',
    a: '0',
    opcode: '11101',
    scalar: true,
    kind: ExactKind.CompareGreaterOrEqual,
    detail: ComparisonDetail.Absolute,
    lower: comparison(({ shape, n, m }) => shape.ge(shape.abs(n), shape.abs(m))),
  },
  {
    name: 'FACGT',
    U: '1',
    a: '1',
    opcode: '11101',
    scalar: true,
    kind: ExactKind.CompareGreater,
    detail: ComparisonDetail.Absolute,
    lower: comparison(({ shape, n, m }) => shape.gt(shape.abs(n), shape.abs(m))),
  },
  {
    name: 'FMAXP (vector)',
    U: '1',
    a: '0',
    opcode: '11110',
    pairwise: true,
    kind: ExactKind.Maximum,
    lower: extremum(({ max }) => max),
  },
  {
    name: 'FMINP (vector)',
    U: '1',
    a: '1',
    opcode: '11110',
    pairwise: true,
    kind: ExactKind.Minimum,
    lower: extremum(({ min }) => min),
  },
  { name: 'FDIV (vector)', U: '1', a: '0', opcode: '11111', kind: ExactKind.Divide, lower: quotient },
];

type Fields = 'Q' | 'sz' | 'Rm' | 'Rn' | 'Rd';

/** @param size of the elements: 1 to 3 */
function lowered(code: Lowering, family: Family, size: Size, kept: Kept): void {
  const { lower, pairwise = false, kind, detail = 0 } = family;
  const source = pairwise ? Source.Pairs : Source.Lanes;
  const operation = packed({ kind, format: exactFormat(size), lanes: kept >> size, source, detail });
  if (lower === undefined) return code.exactly(operation);
  const registers = { n: code.let(code.q('n')), m: code.let(code.q('m')) };
  const { even, odd } = pairwise
    ? pairs({ code, size, kept, shape: integerShape(size), ...registers })
    : { even: registers.n, odd: registers.m };
  atSize(code, size, kept, even, odd, lower, { operation });
}

/** Writes what a lowering computes of elements of a size; the operands are locals. */
export function atSize(
  code: Lowering,
  size: Size,
  kept: Kept,
  n: V128,
  m: V128,
  lower: Binary,
  exactly: Exactly,
): void {
  const bounds = boundsOf(size);
  if (size > 1) {
    const addend = (): V128 => code.q('d');
    const computed = lower({ code, shape: floatShape(size - 2), bounds, kept, n, m, addend });
    return writeRight(code, kept, computed, exactly);
  }
  atHalf(code, kept, [n, m], exactly, (part, addend, wideN = n, wideM = m) =>
    lower({ code: part, shape: f32x4, bounds, kept: 16, n: wideN, m: wideM, addend }),
  );
}

function definitions(family: Family): readonly Definition[] {
  const { name, U, a, opcode, scalar = false } = family;
  const emit = (code: Lowering, sz = 0, kept = 16): void => {
    lowered(code, family, sz + 2, kept);
  };
  const emitHalf = (code: Lowering, kept = 16): void => {
    lowered(code, family, 1, kept);
  };
  const registers = ({ Rm, Rn, Rd }: Readonly<Record<Fields, number>>) => ({
    d: vRegister(Rd),
    n: vRegister(Rn),
    m: vRegister(Rm),
  });
  const vector = row<Fields>(
    name,
    `0 Q ${U} 01110 ${a} sz 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`,
    (f) => (f.sz === 1 && f.Q === 0 ? undefined : { variant: [f.sz, keptByQ(f.Q)], ...registers(f) }),
    emit,
  );
  const half = row<Fields>(
    `${name.replace(/ \(\w+\)$/, '')} (vector, half-precision)`,
    `0 Q ${U} 01110 ${a} 10 Rm:5 00 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
    (f) => ({ variant: [keptByQ(f.Q)], ...registers(f) }),
    emitHalf,
  );
  if (!scalar) return [vector, half];
  const halfScalar = row<Fields>(
    `${name.replace(/ \(\w+\)$/, '')} (scalar, half-precision)`,
    `01 ${U} 11110 ${a} 10 Rm:5 00 ${opcode.slice(2)} 1 Rn:5 Rd:5`,
    (f) => ({ variant: [2], ...registers(f) }),
    emitHalf,
  );
  const scalarRow = row<Fields>(
    `${name} (scalar)`,
    `01 ${U} 11110 ${a} sz 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`,
    (f) => ({ variant: [f.sz, 4 << f.sz], ...registers(f) }),
    emit,
  );
  return [vector, scalarRow, half, halfScalar];
}

/** Forms by element; `size` is 2 or 3. */
const indexed: readonly Definition[] = (
  [
    { name: 'FMLA (by element)', U: '0', opcode: '0001', kind: ExactKind.MultiplyAdd, lower: multiplyAdd(false) },
    {
      name: 'FMLS (by element)',
      U: '0',
      opcode: '0101',
      kind: ExactKind.MultiplyAdd,
      detail: MultiplyAddDetail.NegateProduct,
      lower: multiplyAdd(true),
    },
    { name: 'FMUL (by element)', U: '0', opcode: '1001', kind: ExactKind.Multiply, lower: product },
    { name: 'FMULX (by element)', U: '1', opcode: '1001', kind: ExactKind.MultiplyExtended, lower: product },
  ] satisfies readonly (Omit<Family, 'a' | 'lower'> & { readonly lower: Binary })[]
).flatMap(({ name, U, opcode, kind, lower, ...rest }) => {
  const patterns = indexedPatterns(U, opcode);
  const decode = (f: IndexedValues, kept: Kept) => {
    if (f.size < 2 || (f.size === 3 && (f.L === 1 || kept === 8))) return undefined;
    return { variant: [f.size - 2, kept], ...indexedOperands(f, f.size) };
  };
  const emitSize = (code: Lowering, size: Size, kept: Kept): void => {
    const detail = 'detail' in rest ? rest.detail : 0;
    const format = exactFormat(size);
    const operation = packed({ kind, format, lanes: kept >> size, source: Source.Element, detail });
    const m = indexedElement(code, size);
    atSize(code, size, kept, code.let(code.q('n')), m, lower, { operation });
  };
  const emitHalf = (code: Lowering, kept = 16): void => {
    emitSize(code, 1, kept);
  };
  const emit = (code: Lowering, sz = 0, kept = 16): void => {
    emitSize(code, sz + 2, kept);
  };
  return [
    row<IndexedFields>(name, patterns.vector, (f) => decode(f, keptByQ(f.Q)), emit),
    row<IndexedFields>(
      `${name} (scalar)`,
      patterns.scalar,
      (f) => {
        if (f.size < 2 || (f.size === 3 && f.L === 1)) return undefined;
        return { variant: [f.size - 2, 1 << f.size], ...indexedOperands(f, f.size) };
      },
      emit,
    ),
    row<IndexedFields>(
      `${name.slice(0, -1)}, half-precision)`,
      patterns.vector.replace('size:2', '00'),
      (f) => ({ variant: [keptByQ(f.Q)], ...indexedOperands(f, 1) }),
      emitHalf,
    ),
    row<IndexedFields>(
      `${name.slice(0, -1)}, scalar, half-precision)`,
      patterns.scalar.replace('size:2', '00'),
      (f) => ({ variant: [2], ...indexedOperands(f, 1) }),
      emitHalf,
    ),
  ];
});

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

const reductions: readonly Definition[] = (
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

/** Advanced SIMD and scalar floating-point three same, by element, pairwise and across lanes (Arm ARM, C4.1.96). */
export const fpVector: readonly Definition[] = [...families.flatMap(definitions), ...indexed, ...reductions];
