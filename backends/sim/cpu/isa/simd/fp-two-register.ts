import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { f64, i64, type V128 } from '../../wasm/expr.ts';
import { convertVector, f32x4, type FloatShape } from '../../wasm/lane-shapes.ts';
import { FloatFormat, FloatHelper, floatHelper } from './float-helper.ts';
import { atPrecision, floatShape, rounded, roundedLanes, Rounding } from './float-width.ts';
import { fixedPoint } from './fp-fixed-point.ts';
import { toInteger } from './fp-integer.ts';
import { widthChanges } from './fp-width-change.ts';
import { atHalf } from './half.ts';
import { halvesFromIntegers, halvesToIntegers, type HalfUnary } from './half-integer.ts';
import { nanResult, writeFloat } from './nan.ts';
import { keptByQ, lanewise, row, write, zeroVector, type Kept, type Size } from './vector.ts';

interface Operand {
  readonly code: Lowering;
  readonly sz: number;
  readonly shape: FloatShape;
  readonly kept: Kept;
  readonly n: V128;
}

type Unary = (operand: Operand) => void;

function comparedWithZero(compare: (shape: FloatShape) => (a: V128, b: V128) => V128, swapped = false): Unary {
  return ({ code, shape, kept, n }) => {
    write(code, swapped ? compare(shape)(zeroVector, n) : compare(shape)(n, zeroVector), kept);
  };
}

/** An operation that WebAssembly has, except for its NaNs. */
function arithmetic(operation: (operand: Operand) => V128): Unary {
  return (operand) => {
    const { code, shape, kept, n } = operand;
    writeFloat(code, shape, kept, operation(operand), () => nanResult(code, shape, [n]));
  };
}

function toIntegral(rounding: number): Unary {
  return arithmetic(({ code, shape, n }) => roundedLanes(code, shape, n, rounding));
}

/** Conversion to integers of the same width; WebAssembly has it for 32-bit lanes only. */
function toIntegers(signed: boolean, rounding: number): Unary {
  return ({ code, sz, shape, kept, n }) => {
    if (sz === 0) {
      const value = rounding === Rounding.Zero ? n : roundedLanes(code, shape, n, rounding);
      return write(code, (signed ? convertVector.truncSatF32S : convertVector.truncSatF32U)(value), kept);
    }
    lanewise(code, 3, kept, ({ read }) => {
      let result = i64.const(0n);
      atPrecision(1, (width) => {
        result = toInteger(rounded(code, width, width.fromBits(code, read('n', false)), rounding), signed);
      });
      return result;
    });
  };
}

function fromIntegers(signed: boolean): Unary {
  return ({ code, sz, kept, n }) => {
    if (sz === 0) return write(code, (signed ? convertVector.fromI32S : convertVector.fromI32U)(n), kept);
    lanewise(code, 3, kept, ({ read }) =>
      i64.reinterpretF64((signed ? f64.convertI64S : f64.convertI64U)(read('n', false))),
    );
  };
}

function helped(helper: number): Unary {
  return ({ code, sz, kept }) => {
    helpedLanes(code, sz + 2, kept, helper);
  };
}

function helpedLanes(code: Lowering, size: Size, kept: Kept, helper: number): void {
  const format = size === 1 ? FloatFormat.Half : size === 3 ? FloatFormat.Double : FloatFormat.Single;
  lanewise(code, size, kept, ({ read }) => floatHelper(code, helper, format, [read('n', false)]));
}

function halfHelped(helper: number): HalfUnary {
  return (code, kept) => {
    helpedLanes(code, 1, kept, helper);
  };
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
  readonly lower: Unary;
  /** For halves, if it is another than that for singles. */
  readonly half?: HalfUnary;
}

const families: readonly Family[] = [
  ...(
    [
      ['FCMGT (zero)', '0', '01100', comparedWithZero(({ gt }) => gt)],
      ['FCMGE (zero)', '1', '01100', comparedWithZero(({ ge }) => ge)],
      ['FCMEQ (zero)', '0', '01101', comparedWithZero(({ eq }) => eq)],
      ['FCMLE (zero)', '1', '01101', comparedWithZero(({ ge }) => ge, true)],
      ['FCMLT (zero)', '0', '01110', comparedWithZero(({ gt }) => gt, true)],
    ] as const
  ).map(([name, U, opcode, lower]): Family => ({ name, U, a: '1', opcode, forms: 'both', lower })),
  {
    name: 'FABS (vector)',
    U: '0',
    a: '1',
    opcode: '01111',
    forms: 'vector',
    lower: ({ code, shape, kept, n }) => {
      write(code, shape.abs(n), kept);
    },
  },
  {
    name: 'FNEG (vector)',
    U: '1',
    a: '1',
    opcode: '01111',
    forms: 'vector',
    lower: ({ code, shape, kept, n }) => {
      write(code, shape.neg(n), kept);
    },
  },
  {
    name: 'FSQRT (vector)',
    U: '1',
    a: '1',
    opcode: '11111',
    forms: 'vector',
    lower: arithmetic(({ shape, n }) => shape.sqrt(n)),
  },
  ...(
    [
      ['FRINTN', '0', '0', '11000', Rounding.Nearest],
      ['FRINTM', '0', '0', '11001', Rounding.Down],
      ['FRINTP', '0', '1', '11000', Rounding.Up],
      ['FRINTZ', '0', '1', '11001', Rounding.Zero],
      ['FRINTA', '1', '0', '11000', Rounding.Away],
      ['FRINTX', '1', '0', '11001', Rounding.Nearest],
      ['FRINTI', '1', '1', '11001', Rounding.Nearest],
    ] as const
  ).map(([name, U, a, opcode, rounding]): Family => ({
    name: `${name} (vector)`,
    U,
    a,
    opcode,
    forms: 'vector',
    lower: toIntegral(rounding),
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
      lower: toIntegers(true, rounding),
      half: halvesToIntegers(true, (code, n) => roundedLanes(code, f32x4, n, rounding)),
    },
    {
      name: `${name}U (vector)`,
      U: '1',
      a,
      opcode,
      forms: 'both',
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
    lower: fromIntegers(true),
    half: halvesFromIntegers(true),
  },
  {
    name: 'UCVTF (vector, integer)',
    U: '1',
    a: '0',
    opcode: '11101',
    forms: 'both',
    lower: fromIntegers(false),
    half: halvesFromIntegers(false),
  },
  {
    name: 'FRECPE',
    U: '0',
    a: '1',
    opcode: '11101',
    forms: 'both',
    lower: helped(FloatHelper.ReciprocalEstimate),
    half: halfHelped(FloatHelper.ReciprocalEstimate),
  },
  {
    name: 'FRSQRTE',
    U: '1',
    a: '1',
    opcode: '11101',
    forms: 'both',
    lower: helped(FloatHelper.RootEstimate),
    half: halfHelped(FloatHelper.RootEstimate),
  },
  {
    name: 'FRECPX',
    U: '0',
    a: '1',
    opcode: '11111',
    forms: 'scalar',
    lower: helped(FloatHelper.ReciprocalExponent),
    half: halfHelped(FloatHelper.ReciprocalExponent),
  },
  {
    name: 'URECPE',
    U: '0',
    a: '1',
    opcode: '11100',
    forms: 'vector',
    singleOnly: true,
    lower: helped(FloatHelper.UnsignedReciprocalEstimate),
  },
  {
    name: 'URSQRTE',
    U: '1',
    a: '1',
    opcode: '11100',
    forms: 'vector',
    singleOnly: true,
    lower: helped(FloatHelper.UnsignedRootEstimate),
  },
];

type Fields = 'Q' | 'sz' | 'Rn' | 'Rd';

function registers({ Rn, Rd }: Readonly<Record<'Rn' | 'Rd', number>>) {
  return { d: vRegister(Rd), n: vRegister(Rn) };
}

function definitions({ name, U, a, opcode, forms, singleOnly = false, lower, half }: Family): readonly Definition[] {
  const emit = (code: Lowering, sz = 0, kept = 16): void => {
    lower({ code, sz, shape: floatShape(sz), kept, n: code.let(code.q('n')) });
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
    const n = code.let(code.q('n'));
    if (half !== undefined) return half(code, kept, n);
    atHalf(code, kept, [n], (part, wideKept, wide = n) => {
      lower({ code: part, sz: 0, shape: f32x4, kept: wideKept, n: wide });
    });
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
