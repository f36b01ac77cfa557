import { insn, vElement, vRegister, xDest, xSource, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { f32, f64, i32, i64, v128, type I64 } from '../../wasm/expr.ts';
import { conversion, FloatFormat, FloatHelper, floatHelper } from './float-helper.ts';
import {
  atPrecision,
  isPrecision,
  rounded,
  Rounding,
  writeScalar,
  type Float,
  type FloatWidth,
} from './float-width.ts';
import { fusedDouble, fusedHalf, fusedSingle } from './fused.ts';
import { expandImmediate16, expandImmediate32, expandImmediate64 } from './fp-immediate.ts';
import { fusedNan, numbersPreferred, signBits, withNans } from './nan.ts';
import { row } from './vector.ts';

type Fields = 'type' | 'Rm' | 'Rn' | 'Rd';

function oneSource(
  name: string,
  opcode: string,
  lower: <T extends Float>(code: Lowering, width: FloatWidth<T>) => void,
): Definition {
  return row<Fields>(
    name,
    `0 0 0 11110 type:2 1 ${opcode} 10000 Rn:5 Rd:5`,
    ({ type, Rn, Rd }) => (!isPrecision(type) ? undefined : { variant: [type], d: vRegister(Rd), n: vRegister(Rn) }),
    (code, type = 0) => {
      atPrecision(type, (width) => {
        lower(code, width);
      });
    },
  );
}

function bitwise(name: string, opcode: string, change: (bits: I64, sign: I64) => I64): Definition {
  return oneSource(name, opcode, (code, width) => {
    const sign = i64.const(1n << BigInt(width.bytes * 8 - 1));
    width.write(code, width.fromBits(code, change(width.bits(code, width.read(code, 'n')), sign)));
  });
}

const oneSources: readonly Definition[] = [
  bitwise('FMOV (register)', '000000', (bits) => bits),
  bitwise('FABS (scalar)', '000001', (bits, sign) => i64.and(bits, i64.xor(sign, i64.const(-1n)))),
  bitwise('FNEG (scalar)', '000010', (bits, sign) => i64.xor(bits, sign)),
  oneSource('FSQRT (scalar)', '000011', (code, width) => {
    const n = width.let(code, width.read(code, 'n'));
    writeScalar(code, width, width.sqrt(n), [n]);
  }),
  // FRINTX and FRINTI use the mode in FPCR, which is always round to nearest.
  ...(
    [
      ['FRINTN', '001000', Rounding.Nearest],
      ['FRINTP', '001001', Rounding.Up],
      ['FRINTM', '001010', Rounding.Down],
      ['FRINTZ', '001011', Rounding.Zero],
      ['FRINTA', '001100', Rounding.Away],
      ['FRINTX', '001110', Rounding.Nearest],
      ['FRINTI', '001111', Rounding.Nearest],
    ] as const
  ).map(([name, opcode, rounding]) =>
    oneSource(`${name} (scalar)`, opcode, (code, width) => {
      const n = width.let(code, width.read(code, 'n'));
      writeScalar(code, width, rounded(code, width, n, rounding), [n]);
    }),
  ),
];

const formats = [FloatFormat.Single, FloatFormat.Double, undefined, FloatFormat.Half] as const;
const formatBytes = [4, 8, 0, 2] as const;

/** The helper converts NaNs and everything that involves half precision. */
const convert: Definition = insn(
  'FCVT',
  '0 0 0 11110 type:2 1 0001 opc:2 10000 Rn:5 Rd:5',
  ({ type, opc, Rn, Rd }) => {
    if (type === opc || type === 2 || opc === 2) return undefined;
    return { variant: [type, opc], d: vRegister(Rd), n: vRegister(Rn) };
  },
  (code, from = 0, to = 0) => {
    const bytes = formatBytes[from] === 2 ? 2 : formatBytes[from] === 4 ? 4 : 8;
    const throughHelper = (): void => {
      const between = conversion(formats[from] ?? FloatFormat.Single, formats[to] ?? FloatFormat.Single);
      const result = floatHelper(code, FloatHelper.Convert, between, [code.element('n', bytes, 0)]);
      code.setElement('d', 8, 0, result);
      code.setElement('d', 8, 1, i64.const(0n));
    };
    if (from === 3 || to === 3) return throughHelper();
    atPrecision(from, (width) => {
      const n = width.let(code, width.read(code, 'n'));
      code.if(width.ne(n, n), throughHelper, () => {
        if (n.type === 'f32') code.setDbl('d', f64.promote(n));
        else code.setS('d', f32.demote(n));
      });
    });
  },
);

function twoSource(
  name: string,
  opcode: string,
  operation: <T extends Float>(width: FloatWidth<T>) => (a: T, b: T) => T,
): Definition {
  return row<Fields>(
    name,
    `0 0 0 11110 type:2 1 Rm:5 ${opcode} 10 Rn:5 Rd:5`,
    ({ type, Rm, Rn, Rd }) => {
      if (!isPrecision(type)) return undefined;
      return { variant: [type], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, type = 0) => {
      atPrecision(type, (width) => {
        const n = width.let(code, width.read(code, 'n'));
        const m = width.let(code, width.read(code, 'm'));
        writeScalar(code, width, operation(width)(n, m), [n, m]);
      });
    },
  );
}

/** FMAXNM, FMINNM and FNMUL, whose NaNs differ: computed as vectors of one lane. */
function twoSourceLane(name: string, opcode: string, kind: 'maximum' | 'minimum' | 'negated product'): Definition {
  return row<Fields>(
    name,
    `0 0 0 11110 type:2 1 Rm:5 ${opcode} 10 Rn:5 Rd:5`,
    ({ type, Rm, Rn, Rd }) => {
      if (!isPrecision(type)) return undefined;
      return { variant: [type], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, type = 0) => {
      atPrecision(type, ({ shape, ...width }) => {
        const n = code.let(width.splat(width.read(code, 'n')));
        const m = code.let(width.splat(width.read(code, 'm')));
        if (kind === 'negated product') {
          const result = withNans(code, shape, shape.mul(n, m), [n, m]);
          return width.writeLane(code, v128.xor(result, signBits(shape, shape.bytes)));
        }
        const preferred = numbersPreferred(code, shape, n, m);
        const result = (kind === 'maximum' ? shape.max : shape.min)(preferred.n, preferred.m);
        width.writeLane(code, withNans(code, shape, result, [preferred.n, preferred.m]));
      });
    },
  );
}

const twoSources: readonly Definition[] = [
  twoSource('FMUL (scalar)', '0000', (width) => width.mul),
  twoSource('FDIV (scalar)', '0001', (width) => width.div),
  twoSource('FADD (scalar)', '0010', (width) => width.add),
  twoSource('FSUB (scalar)', '0011', (width) => width.sub),
  twoSource('FMAX (scalar)', '0100', (width) => width.max),
  twoSource('FMIN (scalar)', '0101', (width) => width.min),
  twoSourceLane('FMAXNM (scalar)', '0110', 'maximum'),
  twoSourceLane('FMINNM (scalar)', '0111', 'minimum'),
  twoSourceLane('FNMUL (scalar)', '1000', 'negated product'),
];

const fused: Definition = insn(
  'FMADD, FMSUB, FNMADD, FNMSUB',
  '0 0 0 11111 type:2 o1 Rm:5 o0 Ra:5 Rn:5 Rd:5',
  ({ type, o1, Rm, o0, Ra, Rn, Rd }) => {
    if (!isPrecision(type)) return undefined;
    return { variant: [type, o1, o0], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm), a: vRegister(Ra) };
  },
  (code, type = 0, negateAddend = 0, negateResult = 0) => {
    atPrecision(type, (width) => {
      const { shape } = width;
      // The product is subtracted if exactly one of the two bits is set.
      const negateProduct = negateAddend !== negateResult;
      const read = (operand: 'a' | 'n' | 'm', negative: boolean) => {
        const value = width.read(code, operand);
        return width.let(code, negative ? width.neg(value) : value);
      };
      const a = read('a', negateAddend === 1);
      const n = read('n', negateProduct);
      const m = read('m', false);
      const finish = (result: typeof a): void => {
        const value = width.let(code, result);
        code.if(
          width.ne(value, value),
          () => {
            const [addend, first, second] = [a, n, m].map((operand) => code.let(width.splat(operand)));
            if (addend === undefined || first === undefined || second === undefined) return;
            width.writeLane(code, fusedNan(code, shape, addend, first, second));
          },
          () => {
            width.write(code, value);
          },
        );
      };
      fusedScalar(code, width, a, n, m, finish);
    });
  },
);

function fusedScalar<T extends Float>(
  code: Lowering,
  width: FloatWidth<T>,
  a: T,
  n: T,
  m: T,
  use: (result: T) => void,
): void {
  // The cast only gives the result the type of the operands.
  if (a.type === 'f32' && n.type === 'f32' && m.type === 'f32') {
    use((width.bytes === 2 ? fusedHalf : fusedSingle)(code, a, n, m) as T);
  }
  if (a.type === 'f64' && n.type === 'f64' && m.type === 'f64') {
    fusedDouble(code, a, n, m, (result) => {
      use(width.let(code, result as T));
    });
  }
}

/** NZCV of a comparison: unordered is 0011, less 1000, equal 0110, greater 0010. */
function compare<T extends Float>(code: Lowering, width: FloatWidth<T>, first: T, second: T): void {
  const n = width.let(code, first);
  const m = width.let(code, second);
  const less = code.let(width.lt(n, m));
  const unordered = i32.or(width.ne(n, n), width.ne(m, m));
  code.setFlags(i64.extendI32S(i32.sub(i32.const(0), less)), i64.extendI32U(width.ne(n, m)), i32.eqz(less), unordered);
}

const comparisons: readonly Definition[] = [
  insn(
    'FCMP, FCMPE',
    '0 0 0 11110 type:2 1 Rm:5 00 1000 Rn:5 E Z 000',
    ({ type, Rm, Rn, Z }) => {
      if (!isPrecision(type)) return undefined;
      return { variant: [type, Z], n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, type = 0, withZero = 0) => {
      atPrecision(type, (width) => {
        compare(code, width, width.read(code, 'n'), withZero === 1 ? width.const(0) : width.read(code, 'm'));
      });
    },
  ),
  insn(
    'FCCMP, FCCMPE',
    '0 0 0 11110 type:2 1 Rm:5 cond:4 01 Rn:5 E nzcv:4',
    ({ type, Rm, cond, Rn, nzcv }) => {
      if (!isPrecision(type)) return undefined;
      return { variant: [type, cond], n: vRegister(Rn), m: vRegister(Rm), high: nzcv };
    },
    (code, type = 0, cond = 0) => {
      atPrecision(type, (width) => {
        code.if(
          code.condition(cond),
          () => {
            compare(code, width, width.read(code, 'n'), width.read(code, 'm'));
          },
          () => {
            code.setNzcv(i32.shl(code.high(), i32.const(28)));
          },
        );
      });
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
