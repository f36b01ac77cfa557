import { insn, vElement, vRegister, xDest, xSource, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { f32, f64, i32, i64, type F32, type F64, type I32, type I64 } from '../../wasm/expr.ts';
import { Rounding } from '../../float/environment.ts';
import { CompareDetail, EXACT, ExactKind, MODE_OF_FPCR, MultiplyAddDetail, packed } from '../../float/operation.ts';
import { exactFormatOfType, whereDefault, whereSettled } from './exactness.ts';
import {
  atPrecision,
  generatedMode,
  isFinite,
  isNormal,
  isPrecision,
  isProduct,
  isSum,
  rounded,
  type Float,
  type FloatWidth,
} from './float-width.ts';
import { fusedDouble, fusedHalf, fusedSingle } from './fused.ts';
import { expandImmediate16, expandImmediate32, expandImmediate64 } from './fp-immediate.ts';
import { row } from './vector.ts';

type Fields = 'type' | 'Rm' | 'Rn' | 'Rd';

function oneSource(
  name: string,
  opcode: string,
  lower: <T extends Float>(code: Lowering, width: FloatWidth<T>, type: number) => void,
): Definition {
  return row<Fields>(
    name,
    `0 0 0 11110 type:2 1 ${opcode} 10000 Rn:5 Rd:5`,
    ({ type, Rn, Rd }) => (!isPrecision(type) ? undefined : { variant: [type], d: vRegister(Rd), n: vRegister(Rn) }),
    (code, type = 0) => {
      atPrecision(type, (width) => {
        lower(code, width, type);
      });
    },
  );
}

function bitwise(name: string, opcode: string, change: (bits: I64, sign: I64) => I64): Definition {
  return oneSource(name, opcode, (code, width) => {
    const sign = i64.const(1n << BigInt(width.bytes * 8 - 1));
    const bits = code.element('n', width.bytes, 0);
    code.setElement('d', 8, 0, code.let(change(bits, sign)));
    code.setElement('d', 8, 1, i64.const(0n));
  });
}

const oneSources: readonly Definition[] = [
  bitwise('FMOV (register)', '000000', (bits) => bits),
  bitwise('FABS (scalar)', '000001', (bits, sign) => i64.and(bits, i64.xor(sign, i64.const(-1n)))),
  bitwise('FNEG (scalar)', '000010', (bits, sign) => i64.xor(bits, sign)),
  oneSource('FSQRT (scalar)', '000011', (code, width, type) => {
    const n = width.let(code, width.read(code, 'n'));
    const result = width.let(code, width.sqrt(n));
    const write = (): void => {
      width.write(code, result);
    };
    code.if(whereSettled(width.eq(result, result)), write, () => {
      code.if(whereDefault(isProduct(code, width, result, result, n)), write, () => {
        code.exactly(packed({ kind: ExactKind.SquareRoot, format: exactFormatOfType(type) }));
      });
    });
  }),
  ...(
    [
      ['FRINTN', '001000', Rounding.Nearest],
      ['FRINTP', '001001', Rounding.Up],
      ['FRINTM', '001010', Rounding.Down],
      ['FRINTZ', '001011', Rounding.Zero],
      ['FRINTA', '001100', Rounding.Away],
      ['FRINTX', '001110', MODE_OF_FPCR | EXACT],
      ['FRINTI', '001111', MODE_OF_FPCR],
    ] as const
  ).map(([name, opcode, detail]) =>
    oneSource(`${name} (scalar)`, opcode, (code, width, type) => {
      const n = width.let(code, width.read(code, 'n'));
      const whole = width.let(code, rounded(code, width, n, generatedMode(detail)));
      const write = (): void => {
        width.write(code, whole);
      };
      const exactly = (): void => {
        code.exactly(packed({ kind: ExactKind.ToIntegral, format: exactFormatOfType(type), detail }));
      };
      const otherwise = (): void => {
        if ((detail & EXACT) === 0) return exactly();
        code.if(whereDefault(width.eq(whole, n)), write, exactly);
      };
      const where = (detail & EXACT) === 0 ? whereDefault : whereSettled;
      code.if(where(width.eq(whole, whole)), write, otherwise);
    }),
  ),
];

/** The exact unit converts NaNs and everything that involves half precision. */
const convert: Definition = insn(
  'FCVT',
  '0 0 0 11110 type:2 1 0001 opc:2 10000 Rn:5 Rd:5',
  ({ type, opc, Rn, Rd }) => {
    if (type === opc || type === 2 || opc === 2) return undefined;
    return { variant: [type, opc], d: vRegister(Rd), n: vRegister(Rn) };
  },
  (code, from = 0, to = 0) => {
    const exactly = (): void => {
      const detail = exactFormatOfType(to);
      code.exactly(packed({ kind: ExactKind.Convert, format: exactFormatOfType(from), detail }));
    };
    if (from === 3 || to === 3) return exactly();
    if (from === 0) {
      const n = code.let(code.s('n'));
      const widen = (): void => {
        code.setDbl('d', f64.promote(n));
      };
      return code.if(whereDefault(f32.eq(n, n)), widen, exactly);
    }
    const n = code.let(code.dbl('n'));
    const result = code.let(f32.demote(n));
    const write = (): void => {
      code.setS('d', result);
    };
    const magnitude = code.let(f32.abs(result));
    const normal = i32.and(f32.lt(magnitude, f32.const(Infinity)), f32.gt(magnitude, f32.const(2 ** -126)));
    code.if(whereSettled(normal), write, () => {
      code.if(whereDefault(f64.eq(f64.promote(result), n)), write, exactly);
    });
  },
);

interface TwoSource {
  readonly name: string;
  readonly opcode: string;
  readonly kind: number;
  readonly operation: <T extends Float>(width: FloatWidth<T>) => (a: T, b: T) => T;
  /** Whether a result may be inexact, and whether it may be too small for a normal number. */
  readonly range: 'exact' | 'inexact' | 'may underflow';
}

function twoSource({ name, opcode, kind, operation, range }: TwoSource): Definition {
  return row<Fields>(
    `${name} (scalar)`,
    `0 0 0 11110 type:2 1 Rm:5 ${opcode} 10 Rn:5 Rd:5`,
    ({ type, Rm, Rn, Rd }) => {
      if (!isPrecision(type)) return undefined;
      return { variant: [type], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, type = 0) => {
      atPrecision(type, (width) => {
        const n = width.let(code, width.read(code, 'n'));
        const m = width.let(code, width.read(code, 'm'));
        const result = width.let(code, operation(width)(n, m));
        const write = (): void => {
          width.write(code, result);
        };
        const exactly = (): void => {
          code.exactly(packed({ kind, format: exactFormatOfType(type) }));
        };
        if (range === 'exact') return code.if(whereDefault(width.eq(result, result)), write, exactly);
        const right = range === 'inexact' ? isFinite(width, result) : isNormal(width, result);
        code.if(whereSettled(right), write, () => {
          code.if(whereDefault(isExact(code, width, kind, result, n, m)), write, exactly);
        });
      });
    },
  );
}

/** Whether a result raises no flag, as far as it is easy to see. */
function isExact<T extends Float>(code: Lowering, width: FloatWidth<T>, kind: number, result: T, n: T, m: T): I32 {
  switch (kind) {
    case ExactKind.Add:
      return isSum(code, width, n, m, result);
    case ExactKind.Subtract:
      return isSum(code, width, n, width.neg(m), result);
    case ExactKind.Divide:
      return isProduct(code, width, result, m, n);
    case ExactKind.NegatedMultiply:
      return isProduct(code, width, n, m, width.neg(result));
    default:
      return isProduct(code, width, n, m, result);
  }
}

const twoSources: readonly Definition[] = (
  [
    {
      name: 'FMUL',
      opcode: '0000',
      kind: ExactKind.Multiply,
      operation: (width) => width.mul,
      range: 'may underflow',
    },
    { name: 'FDIV', opcode: '0001', kind: ExactKind.Divide, operation: (width) => width.div, range: 'may underflow' },
    { name: 'FADD', opcode: '0010', kind: ExactKind.Add, operation: (width) => width.add, range: 'inexact' },
    { name: 'FSUB', opcode: '0011', kind: ExactKind.Subtract, operation: (width) => width.sub, range: 'inexact' },
    { name: 'FMAX', opcode: '0100', kind: ExactKind.Maximum, operation: (width) => width.max, range: 'exact' },
    { name: 'FMIN', opcode: '0101', kind: ExactKind.Minimum, operation: (width) => width.min, range: 'exact' },
    // Without NaNs the same as FMAX and FMIN.
    { name: 'FMAXNM', opcode: '0110', kind: ExactKind.MaximumNumber, operation: (width) => width.max, range: 'exact' },
    { name: 'FMINNM', opcode: '0111', kind: ExactKind.MinimumNumber, operation: (width) => width.min, range: 'exact' },
    {
      name: 'FNMUL',
      opcode: '1000',
      kind: ExactKind.NegatedMultiply,
      operation: (width) => (a, b) => width.neg(width.mul(a, b)),
      range: 'may underflow',
    },
  ] satisfies readonly TwoSource[]
).map(twoSource);

const fused: Definition = insn(
  'FMADD, FMSUB, FNMADD, FNMSUB',
  '0 0 0 11111 type:2 o1 Rm:5 o0 Ra:5 Rn:5 Rd:5',
  ({ type, o1, Rm, o0, Ra, Rn, Rd }) => {
    if (!isPrecision(type)) return undefined;
    return { variant: [type, o1, o0], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm), a: vRegister(Ra) };
  },
  (code, type = 0, negateAddend = 0, negateResult = 0) => {
    // The product is subtracted if exactly one of the two bits is set.
    const negateProduct = negateAddend !== negateResult;
    const exactly = (): void => {
      const detail =
        MultiplyAddDetail.AddendIsA |
        (negateAddend === 1 ? MultiplyAddDetail.NegateAddend : 0) |
        (negateProduct ? MultiplyAddDetail.NegateProduct : 0);
      code.exactly(packed({ kind: ExactKind.MultiplyAdd, format: exactFormatOfType(type), detail }));
    };
    atPrecision(type, (width) => {
      const read = (operand: 'a' | 'n' | 'm', negative: boolean) => {
        const value = width.read(code, operand);
        return width.let(code, negative ? width.neg(value) : value);
      };
      const a = read('a', negateAddend === 1);
      const n = read('n', negateProduct);
      const m = read('m', false);
      const { value, right } = fusedScalar(code, width, a, n, m);
      const write = (): void => {
        width.write(code, value);
      };
      code.if(whereSettled(right), write, () => {
        const product = width.let(code, width.mul(n, m));
        const exact = i32.and(isProduct(code, width, n, m, product), isSum(code, width, product, a, value));
        code.if(whereDefault(exact), write, exactly);
      });
    });
  },
);

/** `addend + n * m`, and whether the result is right but for IXC. */
function fusedScalar<T extends Float>(
  code: Lowering,
  width: FloatWidth<T>,
  a: T,
  n: T,
  m: T,
): { readonly value: T; readonly right: I32 } {
  if (width.bytes === 8) {
    // Safe: the width of 8 bytes is that of F64.
    const { value, right } = fusedDouble(code, a as F64, n as F64, m as F64);
    return { value: value as T, right };
  }
  // Safe: the others are those of F32.
  const fusedWidth = width.bytes === 2 ? fusedHalf : fusedSingle;
  const value = width.let(code, fusedWidth(code, a as F32, n as F32, m as F32) as T);
  return { value, right: isNormal(width, value) };
}

/** FCMP and FCMPE: unordered is 0011, less 1000, equal 0110, greater 0010. */
function compare(code: Lowering, type: number, signals: number, withZero: boolean): void {
  atPrecision(type, (width) => {
    const n = width.let(code, width.read(code, 'n'));
    const m = width.let(code, withZero ? width.const(0) : width.read(code, 'm'));
    const less = code.let(width.lt(n, m));
    const atLeast = code.let(width.ge(n, m));
    code.if(
      whereDefault(i32.or(less, atLeast)),
      () => {
        const sign = i64.extendI32S(i32.sub(i32.const(0), less));
        code.setFlags(sign, i64.extendI32U(width.ne(n, m)), atLeast, i32.const(0));
      },
      () => {
        const detail = (signals === 1 ? CompareDetail.Signals : 0) | (withZero ? CompareDetail.WithZero : 0);
        code.exactly(packed({ kind: ExactKind.Compare, format: exactFormatOfType(type), detail }));
      },
    );
  });
}

const comparisons: readonly Definition[] = [
  insn(
    'FCMP, FCMPE',
    '0 0 0 11110 type:2 1 Rm:5 00 1000 Rn:5 E Z 000',
    ({ type, Rm, Rn, E, Z }) => {
      if (!isPrecision(type)) return undefined;
      return { variant: [type, E, Z], n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, type = 0, signals = 0, withZero = 0) => {
      compare(code, type, signals, withZero === 1);
    },
  ),
  insn(
    'FCCMP, FCCMPE',
    '0 0 0 11110 type:2 1 Rm:5 cond:4 01 Rn:5 E nzcv:4',
    ({ type, Rm, cond, Rn, E, nzcv }) => {
      if (!isPrecision(type)) return undefined;
      return { variant: [type, E, cond], n: vRegister(Rn), m: vRegister(Rm), high: nzcv };
    },
    (code, type = 0, signals = 0, cond = 0) => {
      code.if(
        code.condition(cond),
        () => {
          compare(code, type, signals, false);
        },
        () => {
          code.setNzcv(i32.shl(code.high(), i32.const(28)));
        },
      );
    },
  ),
  insn(
    'FCSEL',
    '0 0 0 11110 type:2 1 Rm:5 cond:4 11 Rn:5 Rd:5',
    ({ type, Rm, cond, Rn, Rd }) => {
      if (!isPrecision(type)) return undefined;
      return { variant: [type, cond], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, type = 0, cond = 0) => {
      const bytes = type === 3 ? 2 : type === 1 ? 8 : 4;
      const chosen = i64.select(code.condition(cond), code.element('n', bytes, 0), code.element('m', bytes, 0));
      code.setElement('d', 8, 0, code.let(chosen));
      code.setElement('d', 8, 1, i64.const(0n));
    },
  ),
];

const moves: readonly Definition[] = [
  insn(
    'FMOV (scalar, immediate)',
    '0 0 0 11110 type:2 1 imm8:8 100 00000 Rd:5',
    ({ type, imm8, Rd }) => {
      if (!isPrecision(type)) return undefined;
      const imm =
        type === 1 ? expandImmediate64(imm8) : BigInt((type === 3 ? expandImmediate16 : expandImmediate32)(imm8));
      return { variant: [], d: vRegister(Rd), imm };
    },
    (code) => {
      code.setElement('d', 8, 0, code.imm());
      code.setElement('d', 8, 1, i64.const(0n));
    },
  ),
  insn(
    'FMOV (general)',
    'sf 0 0 11110 type:2 1 0 top 11 out 000000 Rn:5 Rd:5',
    ({ sf, type, top, out: into, Rn, Rd }) => {
      // A half may be in either register; otherwise the sizes agree.
      if ((type !== 3 && sf !== (type === 0 ? 0 : 1)) || top !== (type === 2 ? 1 : 0)) return undefined;
      const bytes = type === 3 ? 2 : sf === 1 ? 8 : 4;
      // The top half is addressed as an element.
      if (into === 1) return { variant: [1, bytes, top], d: vElement(Rd, 8, top), n: xSource(Rn) };
      return { variant: [0, bytes, top], d: xDest(Rd), n: vElement(Rn, 8, top) };
    },
    (code, into = 0, bytes = 4, top = 0) => {
      if (into === 0) return code.setX('d', code.element('n', bytes === 8 ? 8 : bytes === 2 ? 2 : 4, 0));
      const value = i64.and(code.x('n'), i64.const((1n << BigInt(bytes * 8)) - 1n));
      code.setElement('d', 8, 0, value);
      if (top === 0) code.setElement('d', 8, 1, i64.const(0n));
    },
  ),
];

/** Scalar floating-point data processing, without conversions from and to integers (Arm ARM, C4.1.96). */
export const fpScalar: readonly Definition[] = [...oneSources, convert, ...twoSources, fused, ...comparisons, ...moves];
