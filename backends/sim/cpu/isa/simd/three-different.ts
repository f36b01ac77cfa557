import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { integerShape, wideningFrom, type IntegerShape } from '../../wasm/lane-shapes.ts';
import { doublingLong } from './doubling.ts';
import { saturatingAdd, saturatingSub } from './saturation.ts';
import { absoluteDifference } from './three-same.ts';
import { narrowBytes, pick, row, write, writeHalf, zeroVector, type Kept, type Size } from './vector.ts';

/** A long operation on the selected halves of its sources; `size` is that of the narrow elements. */
interface Long {
  readonly code: Lowering;
  readonly size: Size;
  readonly wide: IntegerShape;
  readonly signed: boolean;
  readonly high: boolean;
  readonly kept: Kept;
  readonly n: V128;
  readonly m: V128;
}

/** Products, and products added to or subtracted from the destination; shared with the forms by element. */
export const longProducts = {
  multiply: ({ size, signed, high, n, m }: Long): V128 => wideningFrom(size).multiply(signed, high, n, m),
  multiplyAdd: (long: Long): V128 => long.wide.add(long.code.q('d'), longProducts.multiply(long)),
  multiplySubtract: (long: Long): V128 => long.wide.sub(long.code.q('d'), longProducts.multiply(long)),
  doubling: ({ code, size, kept, high, n, m }: Long): V128 => doublingLong(code, size, kept, high, n, m),
  doublingAdd: (long: Long): V128 => {
    const product = long.code.let(longProducts.doubling(long));
    return saturatingAdd(long.code, long.size + 1, long.kept, true, long.code.let(long.code.q('d')), product);
  },
  doublingSubtract: (long: Long): V128 => {
    const product = long.code.let(longProducts.doubling(long));
    return saturatingSub(long.code, long.size + 1, long.kept, true, long.code.let(long.code.q('d')), product);
  },
} as const;

function extended({ size, signed, high }: Long, value: V128): V128 {
  return wideningFrom(size).extend(signed, high, value);
}

/** |n - m| of the narrow elements, as wide elements. */
function longDifference(long: Long): V128 {
  const difference = absoluteDifference(integerShape(long.size), long.signed, long.n, long.m);
  return wideningFrom(long.size).extend(false, long.high, difference);
}

/** PMULL of bytes: shift and add, in 16-bit lanes. */
function polynomialLong(long: Long): V128 {
  const { code, wide } = long;
  const n = code.let(extended({ ...long, signed: false }, long.n));
  const m = code.let(extended({ ...long, signed: false }, long.m));
  let product = zeroVector;
  for (let bit = 0; bit < 8; bit += 1) {
    const selected = wide.all(1n << BigInt(bit));
    const term = v128.and(wide.shl(n, i32.const(bit)), wide.eq(v128.and(m, selected), selected));
    product = code.let(v128.xor(product, term));
  }
  return product;
}

interface Family {
  readonly name: string;
  readonly U: '0' | '1' | 'U';
  readonly opcode: string;
  readonly sizes: readonly number[];
  readonly scalar?: boolean;
  readonly result: (long: Long) => V128;
}

const all = [0, 1, 2];

const families: readonly Family[] = [
  {
    name: 'SADDL, UADDL',
    U: 'U',
    opcode: '0000',
    sizes: all,
    result: (long) => long.wide.add(extended(long, long.n), extended(long, long.m)),
  },
  {
    name: 'SADDW, UADDW',
    U: 'U',
    opcode: '0001',
    sizes: all,
    result: (long) => long.wide.add(long.n, extended(long, long.m)),
  },
  {
    name: 'SSUBL, USUBL',
    U: 'U',
    opcode: '0010',
    sizes: all,
    result: (long) => long.wide.sub(extended(long, long.n), extended(long, long.m)),
  },
  {
    name: 'SSUBW, USUBW',
    U: 'U',
    opcode: '0011',
    sizes: all,
    result: (long) => long.wide.sub(long.n, extended(long, long.m)),
  },
  {
    name: 'SABAL, UABAL',
    U: 'U',
    opcode: '0101',
    sizes: all,
    result: (long) => long.wide.add(long.code.q('d'), longDifference(long)),
  },
  { name: 'SABDL, UABDL', U: 'U', opcode: '0111', sizes: all, result: longDifference },
  { name: 'SMLAL, UMLAL', U: 'U', opcode: '1000', sizes: all, result: longProducts.multiplyAdd },
  { name: 'SMLSL, UMLSL', U: 'U', opcode: '1010', sizes: all, result: longProducts.multiplySubtract },
  { name: 'SMULL, UMULL', U: 'U', opcode: '1100', sizes: all, result: longProducts.multiply },
  { name: 'SQDMLAL', U: '0', opcode: '1001', sizes: [1, 2], scalar: true, result: longProducts.doublingAdd },
  { name: 'SQDMLSL', U: '0', opcode: '1011', sizes: [1, 2], scalar: true, result: longProducts.doublingSubtract },
  { name: 'SQDMULL', U: '0', opcode: '1101', sizes: [1, 2], scalar: true, result: longProducts.doubling },
  { name: 'PMULL', U: '0', opcode: '1110', sizes: [0], result: polynomialLong },
];

type Fields = 'Q' | 'U' | 'size' | 'Rm' | 'Rn' | 'Rd';

function registers({ Rm, Rn, Rd }: Readonly<Record<'Rm' | 'Rn' | 'Rd', number>>) {
  return { d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
}

function definitions({ name, U, opcode, sizes, scalar = false, result }: Family): readonly Definition[] {
  const emit = (code: Lowering, unsigned: number, size: number, high: number, kept: Kept): void => {
    const wide = integerShape(size + 1);
    const n = code.let(code.q('n'));
    const m = code.let(code.q('m'));
    write(code, result({ code, size, wide, signed: unsigned === 0, high: high === 1, kept, n, m }), kept);
  };
  const vector = row<Fields>(
    name,
    `0 Q ${U} 01110 size:2 1 Rm:5 ${opcode} 00 Rn:5 Rd:5`,
    (f) => (sizes.includes(f.size) ? { variant: [U === 'U' ? f.U : 0, f.size, f.Q], ...registers(f) } : undefined),
    (code, unsigned = 0, size = 0, high = 0) => {
      emit(code, unsigned, size, high, 16);
    },
  );
  if (!scalar) return [vector];
  const scalarRow = row<Fields>(
    `${name} (scalar)`,
    `01 ${U} 11110 size:2 1 Rm:5 ${opcode} 00 Rn:5 Rd:5`,
    (f) => (sizes.includes(f.size) ? { variant: [f.size], ...registers(f) } : undefined),
    (code, size = 0) => {
      emit(code, 0, size, 0, 2 << size);
    },
  );
  return [vector, scalarRow];
}

/** ADDHN and its kin: the high halves of sums and differences. `size` is that of the result. */
const highNarrow: readonly Definition[] = [
  { name: 'ADDHN, RADDHN', opcode: '0100', subtract: false },
  { name: 'SUBHN, RSUBHN', opcode: '0110', subtract: true },
].map(({ name, opcode, subtract }) =>
  row<Fields>(
    name,
    `0 Q U 01110 size:2 1 Rm:5 ${opcode} 00 Rn:5 Rd:5`,
    (f) => (f.size === 3 ? undefined : { variant: [f.U, f.size, f.Q], ...registers(f) }),
    (code, rounding = 0, size = 0, high = 0) => {
      const wide = integerShape(size + 1);
      const sum = (subtract ? wide.sub : wide.add)(code.q('n'), code.q('m'));
      const halfBits = wide.bits / 2;
      const rounded = rounding === 1 ? wide.add(sum, wide.all(1n << BigInt(halfBits - 1))) : sum;
      const upper = wide.shrU(rounded, i32.const(halfBits));
      writeHalf(code, code.let(pick(code, [upper, zeroVector], narrowBytes(1 << size))), high === 1);
    },
  ),
);

/** Advanced SIMD and scalar three different (Arm ARM, C4.1.96). */
export const threeDifferent: readonly Definition[] = [...families.flatMap(definitions), ...highNarrow];
