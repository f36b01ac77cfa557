import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';
import { ComparisonDetail, ExactKind, MultiplyAddDetail, packed, Source } from '../../float/operation.ts';
import {
  indexedElement,
  indexedOperands,
  indexedPatterns,
  type IndexedFields,
  type IndexedValues,
} from './by-element.ts';
import { exactFormat } from './exactness.ts';
import {
  absoluteDifference,
  atSize,
  comparison,
  extremum,
  multiplyAdd,
  product,
  quotient,
  sum,
  type Binary,
} from './fp-arithmetic.ts';
import { fpReductions } from './fp-reductions.ts';
import { pairs } from './three-same.ts';
import { keptByQ, row, type Kept, type Size } from './vector.ts';

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

/** Advanced SIMD and scalar floating-point three same, by element, pairwise and across lanes (Arm ARM, C4.1.96). */
export const fpVector: readonly Definition[] = [...families.flatMap(definitions), ...indexed, ...fpReductions];
