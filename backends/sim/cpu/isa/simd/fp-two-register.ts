import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import { f32x4, integerShape, type FloatShape } from '../../wasm/lane-shapes.ts';
import { Rounding } from '../../float/environment.ts';
import { ComparisonDetail, EXACT, ExactKind, MODE_OF_FPCR, packed, UNSIGNED } from '../../float/operation.ts';
import { exactFormat, writeRight, type Computed } from './exactness.ts';
import { floatShape, generatedMode, roundedLanes } from './float-width.ts';
import { fixedPoint } from './fp-fixed-point.ts';
import { widthChanges } from './fp-width-change.ts';
import { atHalf } from './half.ts';
import { halvesFromIntegers, halvesToIntegers, type HalfUnary } from './half-integer.ts';
import { fromIntegerLanes, toIntegerLanes } from './integer-lanes.ts';
import { keptByQ, row, write, zeroVector, type Kept, type Size } from './vector.ts';

interface Operand {
  readonly code: Lowering;
  readonly sz: number;
  readonly shape: FloatShape;
  readonly kept: Kept;
  readonly n: V128;
}

type Unary = (operand: Operand) => Computed;

function comparedWithZero(compare: (shape: FloatShape) => (a: V128, b: V128) => V128, swapped = false): Unary {
  return ({ shape, n }) => {
    const value = swapped ? compare(shape)(zeroVector, n) : compare(shape)(n, zeroVector);
    return { value, right: shape.eq(n, n), inexact: false };
  };
}

const squareRoot: Unary = ({ code, shape, n }) => {
  const value = code.let(shape.sqrt(n));
  const right = shape.eq(value, value);
  // A half that is the square of a single is that of a half.
  const exact = (): V128 => code.areProducts(shape.bytes, value, value, n);
  return { value, right, inexact: true, exact };
};

function toIntegral(detail: number): Unary {
  return ({ code, shape, n }) => {
    const value = code.let(roundedLanes(code, shape, n, generatedMode(detail)));
    const right = shape.eq(value, value);
    if ((detail & EXACT) === 0) return { value, right, inexact: false };
    return { value, right, inexact: true, exact: () => shape.eq(value, n) };
  };
}

/** Conversion to integers of the same width. */
function toIntegers(signed: boolean, rounding: number): Unary {
  return ({ code, sz, shape, kept, n }) =>
    toIntegerLanes(code, sz, kept, signed, n, code.let(roundedLanes(code, shape, n, rounding)));
}

function fromIntegers(signed: boolean): Unary {
  return ({ code, sz, kept, n }) => fromIntegerLanes(code, sz, kept, signed, n);
}

interface Family {
  readonly name: string;
  readonly U: '0' | '1';
  /** The high bit of the `size` field. */
  readonly a: '0' | '1';
  readonly opcode: string;
  readonly forms: 'vector' | 'scalar' | 'both';
  /** Whether all elements are single-precision. */
  readonly singleOnly?: boolean;
  /** In the exact unit; undefined if the instruction only changes signs. */
  readonly kind?: number;
  readonly detail?: number;
  /** Undefined if all is left to the exact unit. */
  readonly lower?: Unary;
  /** For halves, if it is another than that for singles. */
  readonly half?: HalfUnary;
}

const families: readonly Family[] = [
  ...(
    [
      ['FCMGT (zero)', '0', '01100', ExactKind.CompareGreater, false],
      ['FCMGE (zero)', '1', '01100', ExactKind.CompareGreaterOrEqual, false],
      ['FCMEQ (zero)', '0', '01101', ExactKind.CompareEqual, false],
      ['FCMLE (zero)', '1', '01101', ExactKind.CompareGreaterOrEqual, true],
      ['FCMLT (zero)', '0', '01110', ExactKind.CompareGreater, true],
    ] as const
  ).map(([name, U, opcode, kind, swapped]): Family => {
    const detail = ComparisonDetail.WithZero | (swapped ? ComparisonDetail.Swapped : 0);
    const compare = ({ eq, ge, gt }: FloatShape) =>
      kind === ExactKind.CompareEqual ? eq : kind === ExactKind.CompareGreater ? gt : ge;
    return { name, U, a: '1', opcode, forms: 'both', kind, detail, lower: comparedWithZero(compare, swapped) };
  }),
  {
    name: 'FABS (vector)',
    U: '0',
    a: '1',
    opcode: '01111',
    forms: 'vector',
  },
  {
    name: 'FNEG (vector)',
    U: '1',
    a: '1',
    opcode: '01111',
    forms: 'vector',
  },
  {
    name: 'FSQRT (vector)',
    U: '1',
    a: '1',
    opcode: '11111',
    forms: 'vector',
    kind: ExactKind.SquareRoot,
    lower: squareRoot,
  },
  ...(
    [
      ['FRINTN', '0', '0', '11000', Rounding.Nearest],
      ['FRINTM', '0', '0', '11001', Rounding.Down],
      ['FRINTP', '0', '1', '11000', Rounding.Up],
      ['FRINTZ', '0', '1', '11001', Rounding.Zero],
      ['FRINTA', '1', '0', '11000', Rounding.Away],
      ['FRINTX', '1', '0', '11001', MODE_OF_FPCR | EXACT],
      ['FRINTI', '1', '1', '11001', MODE_OF_FPCR],
    ] as const
  ).map(([name, U, a, opcode, detail]): Family => ({
    name: `${name} (vector)`,
    U,
    a,
    opcode,
    forms: 'vector',
    kind: ExactKind.ToIntegral,
    detail,
    lower: toIntegral(detail),
  })),
  ...(
    [
      ['FCVTN', '0', '11010', Rounding.Nearest],
      ['FCVTM', '0', '11011', Rounding.Down],
      ['FCVTA', '0', '11100', Rounding.Away],
      ['FCVTP', '1', '11010', Rounding.Up],
      ['FCVTZ', '1', '11011', Rounding.Zero],
    ] as const
  ).flatMap(([name, a, opcode, rounding]): Family[] => [
    {
      name: `${name}S (vector)`,
      U: '0',
      a,
      opcode,
      forms: 'both',
      kind: ExactKind.ToFixed,
      detail: rounding,
      lower: toIntegers(true, rounding),
      half: halvesToIntegers(true, (code, n) => roundedLanes(code, f32x4, n, rounding)),
    },
    {
      name: `${name}U (vector)`,
      U: '1',
      a,
      opcode,
      forms: 'both',
      kind: ExactKind.ToFixed,
      detail: rounding | UNSIGNED,
      lower: toIntegers(false, rounding),
      half: halvesToIntegers(false, (code, n) => roundedLanes(code, f32x4, n, rounding)),
    },
  ]),
  {
    name: 'SCVTF (vector, integer)',
    U: '0',
    a: '0',
    opcode: '11101',
    forms: 'both',
    kind: ExactKind.FromFixed,
    lower: fromIntegers(true),
    half: halvesFromIntegers(true),
  },
  {
    name: 'UCVTF (vector, integer)',
    U: '1',
    a: '0',
    opcode: '11101',
    forms: 'both',
    kind: ExactKind.FromFixed,
    detail: UNSIGNED,
    lower: fromIntegers(false),
    half: halvesFromIntegers(false),
  },
  {
    name: 'FRECPE',
    U: '0',
    a: '1',
    opcode: '11101',
    forms: 'both',
    kind: ExactKind.ReciprocalEstimate,
  },
  {
    name: 'FRSQRTE',
    U: '1',
    a: '1',
    opcode: '11101',
    forms: 'both',
    kind: ExactKind.RootEstimate,
  },
  {
    name: 'FRECPX',
    U: '0',
    a: '1',
    opcode: '11111',
    forms: 'scalar',
    kind: ExactKind.ReciprocalExponent,
  },
  {
    name: 'URECPE',
    U: '0',
    a: '1',
    opcode: '11100',
    forms: 'vector',
    singleOnly: true,
    kind: ExactKind.UnsignedReciprocalEstimate,
  },
  {
    name: 'URSQRTE',
    U: '1',
    a: '1',
    opcode: '11100',
    forms: 'vector',
    singleOnly: true,
    kind: ExactKind.UnsignedRootEstimate,
  },
];

type Fields = 'Q' | 'sz' | 'Rn' | 'Rd';

function registers({ Rn, Rd }: Readonly<Record<'Rn' | 'Rd', number>>) {
  return { d: vRegister(Rd), n: vRegister(Rn) };
}

function lowered(code: Lowering, { kind, detail = 0, lower, half }: Family, size: Size, kept: Kept): void {
  const exactly = { operation: packed({ kind: kind ?? 0, format: exactFormat(size), lanes: kept >> size, detail }) };
  if (lower === undefined) return code.exactly(exactly.operation);
  const n = code.let(code.q('n'));
  if (size === 1) {
    if (half !== undefined) return half(code, kept, n, exactly);
    return atHalf(code, kept, [n], exactly, (part, _, wide = n) =>
      lower({ code: part, sz: 0, shape: f32x4, kept: 16, n: wide }),
    );
  }
  const computed = lower({ code, sz: size - 2, shape: floatShape(size - 2), kept, n });
  writeRight(code, kept, computed, exactly);
}

/** FABS and FNEG, which change the sign of anything. */
function changedSign(code: Lowering, name: string, size: Size, kept: Kept): void {
  const shape = integerShape(size);
  const sign = shape.all(1n << BigInt(shape.bits - 1));
  write(code, name.startsWith('FABS') ? v128.andnot(code.q('n'), sign) : v128.xor(code.q('n'), sign), kept);
}

function definitions(family: Family): readonly Definition[] {
  const { name, U, a, opcode, forms, singleOnly = false, kind } = family;
  const emitSize = (code: Lowering, size: Size, kept: Kept): void => {
    if (kind === undefined) changedSign(code, name, size, kept);
    else lowered(code, family, size, kept);
  };
  const emit = (code: Lowering, sz = 0, kept = 16): void => {
    emitSize(code, sz + 2, kept);
  };
  const vector = row<Fields>(
    name,
    `0 Q ${U} 01110 ${a} sz 10000 ${opcode} 10 Rn:5 Rd:5`,
    (f) => {
      if (f.sz === 1 && (f.Q === 0 || singleOnly)) return undefined;
      return { variant: [f.sz, keptByQ(f.Q)], ...registers(f) };
    },
    emit,
  );
  const scalar = row<Fields>(
    `${name} (scalar)`,
    `01 ${U} 11110 ${a} sz 10000 ${opcode} 10 Rn:5 Rd:5`,
    (f) => ({ variant: [f.sz, 4 << f.sz], ...registers(f) }),
    emit,
  );
  const byForm = (ofVector: Definition, ofScalar: Definition): readonly Definition[] =>
    forms === 'vector' ? [ofVector] : forms === 'scalar' ? [ofScalar] : [ofVector, ofScalar];
  if (singleOnly) return byForm(vector, scalar);
  const emitHalf = (code: Lowering, kept = 16): void => {
    emitSize(code, 1, kept);
  };
  const halfVector = row<Fields>(
    `${name} (half-precision)`,
    `0 Q ${U} 01110 ${a} 111100 ${opcode} 10 Rn:5 Rd:5`,
    (f) => ({ variant: [keptByQ(f.Q)], ...registers(f) }),
    emitHalf,
  );
  const halfScalar = row<Fields>(
    `${name} (scalar, half-precision)`,
    `01 ${U} 11110 ${a} 111100 ${opcode} 10 Rn:5 Rd:5`,
    (f) => ({ variant: [2], ...registers(f) }),
    emitHalf,
  );
  return [...byForm(vector, scalar), ...byForm(halfVector, halfScalar)];
}

/**
 * Advanced SIMD and scalar floating-point two-register miscellaneous, and fixed-point conversions (Arm ARM, C4.1.96).
 */
export const fpTwoRegister: readonly Definition[] = [...families.flatMap(definitions), ...widthChanges, ...fixedPoint];
