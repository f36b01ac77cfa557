import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { f64, i64, v128, type V128 } from '../../wasm/expr.ts';
import { f32x4, integerShape, type FloatShape } from '../../wasm/lane-shapes.ts';
import {
  indexedElement,
  indexedOperands,
  indexedPatterns,
  type IndexedFields,
  type IndexedValues,
} from './by-element.ts';
import { FloatFormat, FloatHelper, floatHelper } from './float-helper.ts';
import { floatShape } from './float-width.ts';
import { fusedDouble, fusedHalfLanes, fusedSingleLanes } from './fused.ts';
import { atHalf, narrowed, widened } from './half.ts';
import { fusedNan, nanResult, numbersPreferred, withNans, writeFloat } from './nan.ts';
import { pairs } from './three-same.ts';
import { keptByQ, laneBytes, lanewise, pick, row, write, type Kept, type Size } from './vector.ts';

export interface Operands {
  readonly code: Lowering;
  /** 0 for single, 1 for double precision. */
  readonly sz: number;
  readonly shape: FloatShape;
  readonly kept: Kept;
  readonly n: V128;
  readonly m: V128;
  /** Whether the singles are halves. */
  readonly half?: boolean;
}

type Binary = (operands: Operands) => void;

/** An operation that WebAssembly has, except for its NaNs. */
export function arithmetic(operation: (shape: FloatShape) => (a: V128, b: V128) => V128): Binary {
  return ({ code, shape, kept, n, m }) => {
    writeFloat(code, shape, kept, operation(shape)(n, m), () => nanResult(code, shape, [n, m]));
  };
}

function numeric(operation: (shape: FloatShape) => (a: V128, b: V128) => V128): Binary {
  return (operands) => {
    const preferred = numbersPreferred(operands.code, operands.shape, operands.n, operands.m);
    arithmetic(operation)({ ...operands, ...preferred });
  };
}

function comparison(compare: (operands: Operands) => V128): Binary {
  return (operands) => {
    write(operands.code, compare(operands), operands.kept);
  };
}

const absoluteDifference: Binary = ({ code, shape, kept, n, m }) => {
  // FABD clears the sign of a NaN too.
  writeFloat(code, shape, kept, shape.sub(n, m), () => nanResult(code, shape, [n, m]), shape.abs);
};

/** FMULX: zero times infinity is two, with the sign of the product. */
const multiplyExtended: Binary = ({ code, shape, kept, n, m }) => {
  const product = code.let(shape.mul(n, m));
  const numbers = v128.and(shape.eq(n, n), shape.eq(m, m));
  const invalid = v128.and(shape.ne(product, product), numbers);
  const sign = shape.integer.all(1n << BigInt(shape.bytes * 8 - 1));
  const two = v128.or(v128.and(v128.xor(n, m), sign), shape.all(2));
  const result = v128.bitselect(two, product, invalid);
  writeFloat(code, shape, kept, result, () => nanResult(code, shape, [n, m]));
};

/** Vd plus the products of Vn, negated or not, and Vm. Both factors are locals. */
export function multiplyAdd(negative: boolean): Binary {
  return ({ code, shape, kept, n: factor, m, half = false }) => {
    const addend = code.let(code.q('d'));
    const n = negative ? code.let(shape.neg(factor)) : factor;
    if (shape.bytes === 4) {
      const result = half ? fusedHalfLanes(code, addend, n, m) : fusedSingleLanes(code, addend, n, m, kept <= 8);
      return writeFloat(code, shape, kept, result, () => fusedNan(code, shape, addend, n, m));
    }
    // Lane by lane into the destination, whose old value has been read; then NaNs are replaced.
    const lane = (value: V128, index: number) => code.let(f64.reinterpret(v128.extractI64(value, index)));
    for (let index = 0; index < kept / 8; index += 1) {
      fusedDouble(code, lane(addend, index), lane(n, index), lane(m, index), (result) => {
        code.setElement('d', 8, index, i64.reinterpretF64(result));
      });
    }
    writeFloat(code, shape, kept, code.q('d'), () => fusedNan(code, shape, addend, n, m));
  };
}

function step(code: Lowering, size: Size, kept: Kept, helper: number): void {
  const format = size === 1 ? FloatFormat.Half : size === 3 ? FloatFormat.Double : FloatFormat.Single;
  lanewise(code, size, kept, ({ read }) => floatHelper(code, helper, format, [read('n', false), read('m', false)]));
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
  /** A helper that computes each lane, or what computes all. */
  readonly lower: Binary | number;
}

const families: readonly Family[] = [
  { name: 'FMAXNM (vector)', U: '0', a: '0', opcode: '11000', lower: numeric(({ max }) => max) },
  { name: 'FMINNM (vector)', U: '0', a: '1', opcode: '11000', lower: numeric(({ min }) => min) },
  { name: 'FMLA (vector)', U: '0', a: '0', opcode: '11001', lower: multiplyAdd(false) },
  { name: 'FMLS (vector)', U: '0', a: '1', opcode: '11001', lower: multiplyAdd(true) },
  { name: 'FADD (vector)', U: '0', a: '0', opcode: '11010', lower: arithmetic(({ add }) => add) },
  { name: 'FSUB (vector)', U: '0', a: '1', opcode: '11010', lower: arithmetic(({ sub }) => sub) },
  { name: 'FMULX', U: '0', a: '0', opcode: '11011', scalar: true, lower: multiplyExtended },
  {
    name: 'FCMEQ (register)',
    U: '0',
    a: '0',
    opcode: '11100',
    scalar: true,
    lower: comparison(({ shape, n, m }) => shape.eq(n, m)),
  },
  { name: 'FMAX (vector)', U: '0', a: '0', opcode: '11110', lower: arithmetic(({ max }) => max) },
  { name: 'FMIN (vector)', U: '0', a: '1', opcode: '11110', lower: arithmetic(({ min }) => min) },
  { name: 'FRECPS', U: '0', a: '0', opcode: '11111', scalar: true, lower: FloatHelper.ReciprocalStep },
  { name: 'FRSQRTS', U: '0', a: '1', opcode: '11111', scalar: true, lower: FloatHelper.RootStep },
  { name: 'FMAXNMP (vector)', U: '1', a: '0', opcode: '11000', pairwise: true, lower: numeric(({ max }) => max) },
  { name: 'FMINNMP (vector)', U: '1', a: '1', opcode: '11000', pairwise: true, lower: numeric(({ min }) => min) },
  { name: 'FADDP (vector)', U: '1', a: '0', opcode: '11010', pairwise: true, lower: arithmetic(({ add }) => add) },
  { name: 'FABD', U: '1', a: '1', opcode: '11010', scalar: true, lower: absoluteDifference },
  { name: 'FMUL (vector)', U: '1', a: '0', opcode: '11011', lower: arithmetic(({ mul }) => mul) },
  {
    name: 'FCMGE (register)',
    U: '1',
    a: '0',
    opcode: '11100',
    scalar: true,
    lower: comparison(({ shape, n, m }) => shape.ge(n, m)),
  },
  {
    name: 'FCMGT (register)',
    U: '1',
    a: '1',
    opcode: '11100',
    scalar: true,
    lower: comparison(({ shape, n, m }) => shape.gt(n, m)),
  },
  {
    name: 'FACGE',
    U: '1',
    a: '0',
    opcode: '11101',
    scalar: true,
    lower: comparison(({ shape, n, m }) => shape.ge(shape.abs(n), shape.abs(m))),
  },
  {
    name: 'FACGT',
    U: '1',
    a: '1',
    opcode: '11101',
    scalar: true,
    lower: comparison(({ shape, n, m }) => shape.gt(shape.abs(n), shape.abs(m))),
  },
  { name: 'FMAXP (vector)', U: '1', a: '0', opcode: '11110', pairwise: true, lower: arithmetic(({ max }) => max) },
  { name: 'FMINP (vector)', U: '1', a: '1', opcode: '11110', pairwise: true, lower: arithmetic(({ min }) => min) },
  { name: 'FDIV (vector)', U: '1', a: '0', opcode: '11111', lower: arithmetic(({ div }) => div) },
];

type Fields = 'Q' | 'sz' | 'Rm' | 'Rn' | 'Rd';

/** @param size of the elements: 1 to 3 */
function lowered(code: Lowering, family: Family, size: Size, kept: Kept): void {
  const { lower, pairwise = false } = family;
  if (typeof lower === 'number') return step(code, size, kept, lower);
  const registers = { n: code.let(code.q('n')), m: code.let(code.q('m')) };
  const { even, odd } = pairwise
    ? pairs({ code, size, kept, shape: integerShape(size), ...registers })
    : { even: registers.n, odd: registers.m };
  if (size === 1) return halves(code, kept, lower, even, odd);
  lower({ code, sz: size - 2, shape: floatShape(size - 2), kept, n: even, m: odd });
}

/** Applies a lowering of singles to halves; the operands are locals. */
export function halves(code: Lowering, kept: Kept, lower: Binary, n: V128, m: V128): void {
  atHalf(code, kept, [n, m], (part, wideKept, wideN = n, wideM = m) => {
    lower({ code: part, sz: 0, shape: f32x4, kept: wideKept, n: wideN, m: wideM, half: true });
  });
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
const indexed: readonly Definition[] = [
  { name: 'FMLA (by element)', U: '0' as const, opcode: '0001', lower: multiplyAdd(false) },
  { name: 'FMLS (by element)', U: '0' as const, opcode: '0101', lower: multiplyAdd(true) },
  { name: 'FMUL (by element)', U: '0' as const, opcode: '1001', lower: arithmetic(({ mul }) => mul) },
  { name: 'FMULX (by element)', U: '1' as const, opcode: '1001', lower: multiplyExtended },
].flatMap(({ name, U, opcode, lower }) => {
  const patterns = indexedPatterns(U, opcode);
  const decode = (f: IndexedValues, kept: Kept) => {
    if (f.size < 2 || (f.size === 3 && (f.L === 1 || kept === 8))) return undefined;
    return { variant: [f.size - 2, kept], ...indexedOperands(f, f.size) };
  };
  const emitHalf = (code: Lowering, kept = 16): void => {
    const m = indexedElement(code, 1);
    halves(code, kept, lower, code.let(code.q('n')), m);
  };
  const emit = (code: Lowering, sz = 0, kept = 16): void => {
    const m = indexedElement(code, sz + 2);
    lower({ code, sz, shape: floatShape(sz), kept, n: code.let(code.q('n')), m });
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

type Combine = (code: Lowering, shape: FloatShape, n: V128, m: V128) => V128;

const maximum: Combine = (code, shape, n, m) => withNans(code, shape, shape.max(n, m), [n, m]);
const minimum: Combine = (code, shape, n, m) => withNans(code, shape, shape.min(n, m), [n, m]);
const sum: Combine = (code, shape, n, m) => withNans(code, shape, shape.add(n, m), [n, m]);
const maximumNumber: Combine = (code, shape, n, m) => {
  const preferred = numbersPreferred(code, shape, n, m);
  return maximum(code, shape, preferred.n, preferred.m);
};
const minimumNumber: Combine = (code, shape, n, m) => {
  const preferred = numbersPreferred(code, shape, n, m);
  return minimum(code, shape, preferred.n, preferred.m);
};

/** Combines each lane with the one `distance` lanes above it. */
function folded(code: Lowering, shape: FloatShape, value: V128, distance: number, combine: Combine): V128 {
  const above = Array.from({ length: 16 / shape.bytes }, (_, lane) => (lane + distance) % (16 / shape.bytes));
  return code.let(combine(code, shape, value, code.let(pick(code, [value], laneBytes(shape.bytes, above)))));
}

const reductions: readonly Definition[] = (
  [
    ['FMAXNM', '0', '01100', maximumNumber],
    ['FMINNM', '1', '01100', minimumNumber],
    ['FADD', '0', '01101', sum],
    ['FMAX', '0', '01111', maximum],
    ['FMIN', '1', '01111', minimum],
  ] as const
).flatMap(([name, a, opcode, combine]) => {
  const scalarPair = row<'sz' | 'Rn' | 'Rd'>(
    `${name}P (scalar)`,
    `01 1 11110 ${a} sz 11000 ${opcode} 10 Rn:5 Rd:5`,
    ({ sz, Rn, Rd }) => ({ variant: [sz], d: vRegister(Rd), n: vRegister(Rn) }),
    (code, sz = 0) => {
      write(code, folded(code, floatShape(sz), code.let(code.q('n')), 1, combine), 4 << sz);
    },
  );
  const halfPair = row<'Rn' | 'Rd'>(
    `${name}P (scalar, half-precision)`,
    `01 0 11110 ${a} 0 11000 ${opcode} 10 Rn:5 Rd:5`,
    ({ Rn, Rd }) => ({ variant: [], d: vRegister(Rd), n: vRegister(Rn) }),
    (code) => {
      const n = widened(code, code.let(code.q('n')), false);
      write(code, narrowed(code, folded(code, f32x4, n, 1, combine)), 2);
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
      write(code, folded(code, f32x4, neighbours, 2, combine), 4);
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
      write(code, narrowed(code, Q === 1 ? combine(code, f32x4, low, four(true)) : low), 2);
    },
  );
  return [scalarPair, across, halfPair, halfAcross];
});

/** Advanced SIMD and scalar floating-point three same, by element, pairwise and across lanes (Arm ARM, C4.1.96). */
export const fpVector: readonly Definition[] = [...families.flatMap(definitions), ...indexed, ...reductions];
