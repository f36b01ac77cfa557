import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, i64, v128, type I64, type V128 } from '../../wasm/expr.ts';
import { integerShape, popcntI8, wideningFrom, type IntegerShape } from '../../wasm/lane-shapes.ts';
import { bounded, largest, Narrowing, signedPlusUnsigned, smallest, unsignedPlusSigned } from './saturation.ts';
import {
  keptByQ,
  laneBytes,
  lanewise,
  narrowBytes,
  pick,
  row,
  saturated,
  write,
  writeHalf,
  zeroVector,
  type Kept,
  type Size,
} from './vector.ts';

interface Operand {
  readonly code: Lowering;
  readonly size: Size;
  readonly kept: Kept;
  readonly shape: IntegerShape;
  readonly n: V128;
}

interface Family {
  readonly name: string;
  readonly U: '0' | '1';
  readonly opcode: string;
  readonly sizes: readonly number[];
  readonly scalars?: readonly number[];
  readonly result: (operand: Operand) => V128;
}

/** Reverses the elements within each container of `bytes`. */
function reversed({ code, shape, n }: Operand, bytes: number): V128 {
  const perContainer = bytes / shape.bytes;
  const lanes = Array.from({ length: shape.lanes }, (_, lane) => lane ^ (perContainer - 1));
  return pick(code, [n, zeroVector], laneBytes(shape.bytes, lanes));
}

/** Sums of neighbouring elements, as elements twice as wide. */
function pairSums({ size, n }: Operand, signed: boolean): V128 {
  const wide = integerShape(size + 1);
  const by = i32.const(wide.bits / 2);
  const shift = signed ? wide.shrS : wide.shrU;
  return wide.add(shift(wide.shl(n, by), by), shift(n, by));
}

function reversedBits({ code, shape, n }: Operand): V128 {
  let value = n;
  for (const [by, mask] of [
    [1, 0x55n],
    [2, 0x33n],
    [4, 0x0fn],
  ] as const) {
    const selected = shape.all(mask);
    const amount = i32.const(by);
    const current = value;
    const up = shape.shl(v128.and(current, selected), amount);
    value = code.let(v128.or(up, v128.and(shape.shrU(current, amount), selected)));
  }
  return value;
}

/** Negation or absolute value that saturates for the most negative number. */
function saturatingOpposite({ code, shape, kept, n }: Operand, opposite: V128): V128 {
  const overflow = code.let(shape.eq(n, smallest(shape)));
  saturated(code, overflow, kept);
  return v128.bitselect(largest(shape, true), opposite, overflow);
}

const zero = zeroVector;
const narrowSizes = [0, 1, 2];
const all = [0, 1, 2, 3];

const families: readonly Family[] = [
  { name: 'REV64', U: '0', opcode: '00000', sizes: narrowSizes, result: (operand) => reversed(operand, 8) },
  { name: 'REV32', U: '1', opcode: '00000', sizes: [0, 1], result: (operand) => reversed(operand, 4) },
  { name: 'REV16', U: '0', opcode: '00001', sizes: [0], result: (operand) => reversed(operand, 2) },
  { name: 'SADDLP', U: '0', opcode: '00010', sizes: narrowSizes, result: (operand) => pairSums(operand, true) },
  { name: 'UADDLP', U: '1', opcode: '00010', sizes: narrowSizes, result: (operand) => pairSums(operand, false) },
  {
    name: 'SADALP',
    U: '0',
    opcode: '00110',
    sizes: narrowSizes,
    result: (operand) => integerShape(operand.size + 1).add(operand.code.q('d'), pairSums(operand, true)),
  },
  {
    name: 'UADALP',
    U: '1',
    opcode: '00110',
    sizes: narrowSizes,
    result: (operand) => integerShape(operand.size + 1).add(operand.code.q('d'), pairSums(operand, false)),
  },
  {
    name: 'SUQADD',
    U: '0',
    opcode: '00011',
    sizes: all,
    scalars: all,
    result: ({ code, size, kept, n }) => signedPlusUnsigned(code, size, kept, code.let(code.q('d')), n),
  },
  {
    name: 'USQADD',
    U: '1',
    opcode: '00011',
    sizes: all,
    scalars: all,
    result: ({ code, size, kept, n }) => unsignedPlusSigned(code, size, kept, code.let(code.q('d')), n),
  },
  { name: 'CNT', U: '0', opcode: '00101', sizes: [0], result: ({ n }) => popcntI8(n) },
  { name: 'NOT', U: '1', opcode: '00101', sizes: [0], result: ({ n }) => v128.not(n) },
  {
    name: 'RBIT (vector)',
    U: '1',
    opcode: '00101',
    sizes: [1],
    result: (operand) => reversedBits({ ...operand, shape: integerShape(0) }),
  },
  {
    name: 'SQABS',
    U: '0',
    opcode: '00111',
    sizes: all,
    scalars: all,
    result: (operand) => saturatingOpposite(operand, operand.shape.abs(operand.n)),
  },
  {
    name: 'SQNEG',
    U: '1',
    opcode: '00111',
    sizes: all,
    scalars: all,
    result: (operand) => saturatingOpposite(operand, operand.shape.neg(operand.n)),
  },
  {
    name: 'CMGT (zero)',
    U: '0',
    opcode: '01000',
    sizes: all,
    scalars: [3],
    result: ({ shape, n }) => shape.gtS(n, zero),
  },
  {
    name: 'CMGE (zero)',
    U: '1',
    opcode: '01000',
    sizes: all,
    scalars: [3],
    result: ({ shape, n }) => shape.geS(n, zero),
  },
  {
    name: 'CMEQ (zero)',
    U: '0',
    opcode: '01001',
    sizes: all,
    scalars: [3],
    result: ({ shape, n }) => shape.eq(n, zero),
  },
  {
    name: 'CMLE (zero)',
    U: '1',
    opcode: '01001',
    sizes: all,
    scalars: [3],
    result: ({ shape, n }) => shape.geS(zero, n),
  },
  {
    name: 'CMLT (zero)',
    U: '0',
    opcode: '01010',
    sizes: all,
    scalars: [3],
    result: ({ shape, n }) => shape.gtS(zero, n),
  },
  { name: 'ABS', U: '0', opcode: '01011', sizes: all, scalars: [3], result: ({ shape, n }) => shape.abs(n) },
  { name: 'NEG (vector)', U: '1', opcode: '01011', sizes: all, scalars: [3], result: ({ shape, n }) => shape.neg(n) },
];

type Fields = 'Q' | 'size' | 'Rn' | 'Rd';
type FieldValues = Readonly<Record<Fields, number>>;

function registers({ Rn, Rd }: Pick<FieldValues, 'Rn' | 'Rd'>) {
  return { d: vRegister(Rd), n: vRegister(Rn) };
}

function definitions({ name, U, opcode, sizes, scalars = [], result }: Family): readonly Definition[] {
  const lower = (code: Lowering, size = 0, kept = 16): void => {
    write(code, result({ code, size, kept, shape: integerShape(size), n: code.let(code.q('n')) }), kept);
  };
  const vector = row<Fields>(
    name,
    `0 Q ${U} 01110 size:2 10000 ${opcode} 10 Rn:5 Rd:5`,
    (f) => {
      if (!sizes.includes(f.size) || (f.size === 3 && f.Q === 0)) return undefined;
      return { variant: [f.size, keptByQ(f.Q)], ...registers(f) };
    },
    lower,
  );
  if (scalars.length === 0) return [vector];
  const scalar = row<Fields>(
    `${name} (scalar)`,
    `01 ${U} 11110 size:2 10000 ${opcode} 10 Rn:5 Rd:5`,
    (f) => (scalars.includes(f.size) ? { variant: [f.size, 1 << f.size], ...registers(f) } : undefined),
    lower,
  );
  return [vector, scalar];
}

/** CLZ and CLS: WebAssembly counts leading bits in scalars only. */
function leadingBits(name: string, U: '0' | '1', count: (code: Lowering, value: I64, bits: number) => I64): Definition {
  return row<Fields>(
    name,
    `0 Q ${U} 01110 size:2 10000 00100 10 Rn:5 Rd:5`,
    (f) => (f.size === 3 ? undefined : { variant: [f.size, keptByQ(f.Q)], ...registers(f) }),
    (code, size = 0, kept = 16) => {
      lanewise(code, size, kept, ({ bits, read }) => count(code, read('n', U === '0'), bits));
    },
  );
}

const counts: readonly Definition[] = [
  leadingBits('CLS (vector)', '0', (code, value, bits) => {
    const n = code.let(value);
    const folded = i64.xor(n, i64.shrS(n, i64.const(63n)));
    return i64.sub(i64.clz(folded), i64.const(BigInt(64 - bits + 1)));
  }),
  leadingBits('CLZ (vector)', '1', (_code, value, bits) => i64.sub(i64.clz(value), i64.const(BigInt(64 - bits)))),
];

const extractNarrow: readonly Definition[] = [
  { name: 'XTN', U: '0', opcode: '10010', how: Narrowing.Truncate },
  { name: 'SQXTUN', U: '1', opcode: '10010', how: Narrowing.SignedToUnsigned },
  { name: 'SQXTN', U: '0', opcode: '10100', how: Narrowing.Signed },
  { name: 'UQXTN', U: '1', opcode: '10100', how: Narrowing.Unsigned },
].flatMap(({ name, U, opcode, how }) => {
  const narrowed = (code: Lowering, size: Size, kept: Kept): V128 =>
    pick(code, [bounded(code, size + 1, kept, how, code.q('n')), zeroVector], narrowBytes(1 << size));
  const vector = row<Fields>(
    `${name}, ${name}2`,
    `0 Q ${U} 01110 size:2 10000 ${opcode} 10 Rn:5 Rd:5`,
    (f) => (f.size === 3 ? undefined : { variant: [f.size, f.Q], ...registers(f) }),
    (code, size = 0, high = 0) => {
      writeHalf(code, code.let(narrowed(code, size, 8)), high === 1);
    },
  );
  if (how === Narrowing.Truncate) return [vector];
  const scalar = row<Fields>(
    `${name} (scalar)`,
    `01 ${U} 11110 size:2 10000 ${opcode} 10 Rn:5 Rd:5`,
    (f) => (f.size === 3 ? undefined : { variant: [f.size], ...registers(f) }),
    (code, size = 0) => {
      write(code, narrowed(code, size, 1 << size), 1 << size);
    },
  );
  return [vector, scalar];
});

const shiftLeftLong: Definition = row<Fields>(
  'SHLL, SHLL2',
  '0 Q 1 01110 size:2 10000 10011 10 Rn:5 Rd:5',
  (f) => (f.size === 3 ? undefined : { variant: [f.size, f.Q], ...registers(f) }),
  (code, size = 0, high = 0) => {
    const wide = wideningFrom(size).extend(false, high === 1, code.q('n'));
    code.setQ('d', integerShape(size + 1).shl(wide, i32.const(8 << size)));
  },
);

/** Advanced SIMD and scalar two-register miscellaneous, integer (Arm ARM, C4.1.96). */
export const twoRegister: readonly Definition[] = [
  ...families.flatMap(definitions),
  ...counts,
  ...extractNarrow,
  shiftLeftLong,
];
