import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { f64, i64, v128, type V128 } from '../../wasm/expr.ts';
import { anyTrue, convertVector, f32x4, f64x2, type FloatShape } from '../../wasm/vector.ts';
import { conversion, FloatFormat, FloatHelper, floatHelper } from './float-helper.ts';
import { atPrecision, floatShape, rounded, roundedLanes, Rounding } from './float-width.ts';
import { fromInteger, powerOfTwo, toInteger } from './fp-integer.ts';
import { nanResult, writeFloat } from './nan.ts';
import { keep, keptByQ, laneBytes, lanewise, pick, row, write, writeHalf, zeroVector, type Kept } from './vector.ts';

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
        result = toInteger(rounded(code, width, width.fromBits(read('n', false)), rounding), signed);
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
    const format = sz === 1 ? FloatFormat.Double : FloatFormat.Single;
    lanewise(code, sz + 2, kept, ({ read }) => floatHelper(code, helper, format, [read('n', false)]));
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
    { name: `${name}S (vector)`, U: '0', a, opcode, forms: 'both', lower: toIntegers(true, rounding) },
    { name: `${name}U (vector)`, U: '1', a, opcode, forms: 'both', lower: toIntegers(false, rounding) },
  ]),
  { name: 'SCVTF (vector, integer)', U: '0', a: '0', opcode: '11101', forms: 'both', lower: fromIntegers(true) },
  { name: 'UCVTF (vector, integer)', U: '1', a: '0', opcode: '11101', forms: 'both', lower: fromIntegers(false) },
  { name: 'FRECPE', U: '0', a: '1', opcode: '11101', forms: 'both', lower: helped(FloatHelper.ReciprocalEstimate) },
  { name: 'FRSQRTE', U: '1', a: '1', opcode: '11101', forms: 'both', lower: helped(FloatHelper.RootEstimate) },
  { name: 'FRECPX', U: '0', a: '1', opcode: '11111', forms: 'scalar', lower: helped(FloatHelper.ReciprocalExponent) },
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

function definitions({ name, U, a, opcode, forms, singleOnly = false, lower }: Family): readonly Definition[] {
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
  return forms === 'vector' ? [vector] : forms === 'scalar' ? [scalar] : [vector, scalar];
}

/** Converts `lanes` elements of Vn, from element `first` on, with the helper, to the lowest elements of a vector. */
function convertedByHelper(
  code: Lowering,
  helper: number,
  from: { readonly format: number; readonly bytes: 2 | 4 | 8 },
  to: { readonly format: number; readonly bytes: 2 | 4 | 8 },
  first: number,
  lanes: number,
): V128 {
  let halves = [i64.const(0n), i64.const(0n)];
  for (let lane = 0; lane < lanes; lane += 1) {
    const element = code.element('n', from.bytes, first + lane);
    const value = floatHelper(code, helper, conversion(from.format, to.format), [element]);
    const at = lane * to.bytes;
    const shifted = i64.shl(value, i64.const(BigInt((at % 8) * 8)));
    halves = halves.map((part, index) => (index === Math.floor(at / 8) ? code.let(i64.or(part, shifted)) : part));
  }
  const [low = i64.const(0n), high = i64.const(0n)] = halves;
  return code.let(v128.replaceI64(v128.splatI64(low), 1, high));
}

const half = { format: FloatFormat.Half, bytes: 2 } as const;
const single = { format: FloatFormat.Single, bytes: 4 } as const;
const double = { format: FloatFormat.Double, bytes: 8 } as const;

const widthChanges: readonly Definition[] = [
  row<Fields>(
    'FCVTL, FCVTL2',
    '0 Q 0 01110 0 sz 10000 10111 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.sz, f.Q], ...registers(f) }),
    (code, sz = 0, high = 0) => {
      if (sz === 0) return code.setQ('d', convertedByHelper(code, FloatHelper.Convert, half, single, high * 4, 4));
      const n = high === 1 ? pick(code, [code.q('n')], laneBytes(8, [1, 1])) : code.q('n');
      const value = code.let(keep(n, 8));
      code.if(
        anyTrue(f32x4.ne(value, value)),
        () => {
          code.setQ('d', convertedByHelper(code, FloatHelper.Convert, single, double, high * 2, 2));
        },
        () => {
          code.setQ('d', convertVector.promoteLow(value));
        },
      );
    },
  ),
  row<Fields>(
    'FCVTN, FCVTN2',
    '0 Q 0 01110 0 sz 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.sz, f.Q], ...registers(f) }),
    (code, sz = 0, high = 0) => {
      if (sz === 0) {
        return writeHalf(code, convertedByHelper(code, FloatHelper.Convert, single, half, 0, 4), high === 1);
      }
      const value = code.let(code.q('n'));
      code.if(
        anyTrue(f64x2.ne(value, value)),
        () => {
          writeHalf(code, convertedByHelper(code, FloatHelper.Convert, double, single, 0, 2), high === 1);
        },
        () => {
          writeHalf(code, code.let(convertVector.demote(value)), high === 1);
        },
      );
    },
  ),
  row<Fields>(
    'FCVTXN, FCVTXN2',
    '0 Q 1 01110 0 1 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [f.Q], ...registers(f) }),
    (code, high = 0) => {
      writeHalf(code, convertedByHelper(code, FloatHelper.ConvertToOdd, double, single, 0, 2), high === 1);
    },
  ),
  row<Fields>(
    'FCVTXN (scalar)',
    '01 1 11110 0 1 10000 10110 10 Rn:5 Rd:5',
    (f) => ({ variant: [], ...registers(f) }),
    (code) => {
      write(code, convertedByHelper(code, FloatHelper.ConvertToOdd, double, single, 0, 1), 4);
    },
  ),
];

/** 2^exponent in each element of the instruction's 64-bit constant. */
function scaleConstant(sz: number, exponent: number): bigint {
  if (sz === 1) return powerOfTwo(exponent);
  const bits = BigInt(127 + exponent) << 23n;
  return (bits << 32n) | bits;
}

type ShiftFields = 'Q' | 'U' | 'immh' | 'immb' | 'Rn' | 'Rd';

/** Fixed-point conversions are encoded as shifts by immediate; the shift amount is the number of fraction bits. */
const fixedPoint: readonly Definition[] = (['to', 'from'] as const).flatMap((direction) => {
  const opcode = direction === 'to' ? '11111' : '11100';
  const name = direction === 'to' ? 'FCVTZS, FCVTZU (vector, fixed-point)' : 'SCVTF, UCVTF (vector, fixed-point)';
  const decode = (f: Readonly<Record<ShiftFields, number>>, kept: (sz: number) => Kept | undefined) => {
    if (f.immh < 4) return undefined;
    const sz = f.immh >= 8 ? 1 : 0;
    const bytes = kept(sz);
    if (bytes === undefined) return undefined;
    const fractionBits = (sz === 1 ? 128 : 64) - (f.immh * 8 + f.immb);
    const imm = scaleConstant(sz, direction === 'to' ? fractionBits : -fractionBits);
    return { variant: [f.U, sz, bytes], ...registers(f), imm };
  };
  const emit = (code: Lowering, unsigned = 0, sz = 0, kept = 16): void => {
    const signed = unsigned === 0;
    if (sz === 0) {
      const scale = v128.splatI64(code.imm());
      const n = code.q('n');
      // Scaling is exact unless it overflows to infinity, and then the result saturates anyway.
      if (direction === 'to') {
        const scaled = f32x4.mul(n, scale);
        return write(code, (signed ? convertVector.truncSatF32S : convertVector.truncSatF32U)(scaled), kept);
      }
      return write(code, f32x4.mul((signed ? convertVector.fromI32S : convertVector.fromI32U)(n), scale), kept);
    }
    atPrecision(1, (width) => {
      lanewise(code, 3, kept, ({ read }) => {
        const scale = width.fromBits(code.imm());
        if (direction === 'to') return toInteger(width.mul(width.fromBits(read('n', false)), scale), signed);
        return width.bits(width.mul(fromInteger(width, read('n', false), signed), scale));
      });
    });
  };
  return [
    row<ShiftFields>(
      name,
      `0 Q U 011110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5`,
      (f) => decode(f, (sz) => (sz === 1 && f.Q === 0 ? undefined : keptByQ(f.Q))),
      emit,
    ),
    row<ShiftFields>(
      `${name} (scalar)`,
      `01 U 111110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5`,
      (f) => decode(f, (sz) => 4 << sz),
      emit,
    ),
  ];
});

/**
 * Advanced SIMD and scalar floating-point two-register miscellaneous, and fixed-point conversions (Arm ARM, C4.1.96).
 */
export const fpTwoRegister: readonly Definition[] = [...families.flatMap(definitions), ...widthChanges, ...fixedPoint];
