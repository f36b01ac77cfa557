import { vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { integerShape, wideningFrom, type IntegerShape } from '../../wasm/lane-shapes.ts';
import { bounded, Narrowing, saturatingShl } from './saturation.ts';
import { keptByQ, narrowBytes, pick, row, write, writeHalf, zeroVector, type Kept, type Size } from './vector.ts';

type Fields = 'Q' | 'U' | 'immh' | 'immb' | 'Rn' | 'Rd';
type FieldValues = Readonly<Record<Fields, number>>;

interface Family {
  readonly name: string;
  readonly U: '0' | '1' | 'U';
  readonly opcode: string;
  readonly direction: 'left' | 'right';
  /** Sizes of the scalar form. */
  readonly scalars: readonly number[];
  readonly lower: (code: Lowering, shift: Shift) => V128;
}

interface Shift {
  readonly size: Size;
  readonly shape: IntegerShape;
  readonly kept: Kept;
  readonly signed: boolean;
  /** Whether it is a right shift by the element's size, for which WebAssembly shifts by zero (modulo the width). */
  readonly full: boolean;
}

/** Vn shifted right by the instruction's constant, rounded or not. */
function shiftedRight(code: Lowering, { shape, signed, full }: Omit<Shift, 'kept'>, rounding: boolean): V128 {
  const n = code.q('n');
  const shift = signed ? shape.shrS : shape.shrU;
  if (full) {
    const allButOne = i32.const(shape.bits - 1);
    if (rounding) return signed ? zeroVector : shape.shrU(n, allButOne);
    return signed ? shape.shrS(n, allButOne) : zeroVector;
  }
  const by = code.low();
  if (!rounding) return shift(n, by);
  const value = code.let(n);
  const lastOut = v128.and(shift(value, i32.sub(by, i32.const(1))), shape.all(1n));
  return shape.add(shift(value, by), lastOut);
}

const ones = v128.const(Array.from({ length: 16 }, () => 0xff));
const all = [0, 1, 2, 3];

const families: readonly Family[] = [
  ...[
    { name: 'SSHR, USHR', opcode: '00000', rounding: false, accumulate: false },
    { name: 'SSRA, USRA', opcode: '00010', rounding: false, accumulate: true },
    { name: 'SRSHR, URSHR', opcode: '00100', rounding: true, accumulate: false },
    { name: 'SRSRA, URSRA', opcode: '00110', rounding: true, accumulate: true },
  ].map(({ name, opcode, rounding, accumulate }): Family => ({
    name,
    U: 'U',
    opcode,
    direction: 'right',
    scalars: [3],
    lower: (code, shift) => {
      const value = shiftedRight(code, shift, rounding);
      return accumulate ? shift.shape.add(code.q('d'), value) : value;
    },
  })),
  {
    name: 'SRI',
    U: '1',
    opcode: '01000',
    direction: 'right',
    scalars: [3],
    lower: (code, { shape, full }) => {
      if (full) return code.q('d');
      return v128.bitselect(shape.shrU(code.q('n'), code.low()), code.q('d'), shape.shrU(ones, code.low()));
    },
  },
  {
    name: 'SHL',
    U: '0',
    opcode: '01010',
    direction: 'left',
    scalars: [3],
    lower: (code, { shape }) => shape.shl(code.q('n'), code.low()),
  },
  {
    name: 'SLI',
    U: '1',
    opcode: '01010',
    direction: 'left',
    scalars: [3],
    lower: (code, { shape }) =>
      v128.bitselect(shape.shl(code.q('n'), code.low()), code.q('d'), shape.shl(ones, code.low())),
  },
  {
    name: 'SQSHLU',
    U: '1',
    opcode: '01100',
    direction: 'left',
    scalars: all,
    lower: (code, { size, kept }) => saturatingShl(code, size, kept, 'signed to unsigned', code.let(code.q('n'))),
  },
  {
    name: 'SQSHL, UQSHL (immediate)',
    U: 'U',
    opcode: '01110',
    direction: 'left',
    scalars: all,
    lower: (code, { size, kept, signed }) =>
      saturatingShl(code, size, kept, signed ? 'signed' : 'unsigned', code.let(code.q('n'))),
  },
];

/** The position of the highest bit of immh is log2 of the element's bytes. */
function amounts(immh: number, immb: number): { size: number; left: number; right: number } | undefined {
  if (immh === 0) return undefined;
  const size = 31 - Math.clz32(immh);
  const bits = 8 << size;
  const encoded = immh * 8 + immb;
  return { size, left: encoded - bits, right: 2 * bits - encoded };
}

function registers({ Rn, Rd }: FieldValues) {
  return { d: vRegister(Rd), n: vRegister(Rn) };
}

function sameWidth({ name, U, opcode, direction, scalars, lower }: Family): readonly Definition[] {
  const decode = (f: FieldValues, kept: (size: number) => Kept | undefined) => {
    const found = amounts(f.immh, f.immb);
    const bytes = found === undefined ? undefined : kept(found.size);
    if (found === undefined || bytes === undefined) return undefined;
    const by = direction === 'left' ? found.left : found.right;
    const full = by === 8 << found.size ? 1 : 0;
    return { variant: [U === 'U' ? f.U : 0, found.size, full, bytes], ...registers(f), low: by };
  };
  const emit = (code: Lowering, unsigned = 0, size = 0, full = 0, kept = 16): void => {
    write(code, lower(code, { size, shape: integerShape(size), kept, signed: unsigned === 0, full: full === 1 }), kept);
  };
  return [
    row<Fields>(
      name,
      `0 Q ${U} 011110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5`,
      (f) => decode(f, (size) => (size === 3 && f.Q === 0 ? undefined : keptByQ(f.Q))),
      emit,
    ),
    row<Fields>(
      `${name} (scalar)`,
      `01 ${U} 111110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5`,
      (f) => decode(f, (size) => (scalars.includes(size) ? 1 << size : undefined)),
      emit,
    ),
  ];
}

/** Narrowing right shifts; `size` is that of the result's elements. */
const narrowing: readonly Definition[] = [
  { name: 'SHRN', U: '0', opcode: '10000', how: Narrowing.Truncate },
  { name: 'SQSHRUN', U: '1', opcode: '10000', how: Narrowing.SignedToUnsigned },
  { name: 'RSHRN', U: '0', opcode: '10001', how: Narrowing.Truncate },
  { name: 'SQRSHRUN', U: '1', opcode: '10001', how: Narrowing.SignedToUnsigned },
  { name: 'SQSHRN', U: '0', opcode: '10010', how: Narrowing.Signed },
  { name: 'UQSHRN', U: '1', opcode: '10010', how: Narrowing.Unsigned },
  { name: 'SQRSHRN', U: '0', opcode: '10011', how: Narrowing.Signed },
  { name: 'UQRSHRN', U: '1', opcode: '10011', how: Narrowing.Unsigned },
].flatMap(({ name, U, opcode, how }) => {
  const rounding = opcode.endsWith('1');
  const signed = how === Narrowing.Signed || how === Narrowing.SignedToUnsigned;
  const narrowed = (code: Lowering, size: Size, kept: Kept): V128 => {
    const shape = integerShape(size + 1);
    const shifted = shiftedRight(code, { size: size + 1, shape, signed, full: false }, rounding);
    const value = bounded(code, size + 1, kept, how, shifted);
    return pick(code, [value, zeroVector], narrowBytes(1 << size));
  };
  const vector = row<Fields>(
    `${name}, ${name}2`,
    `0 Q ${U} 011110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5`,
    (f) => {
      const found = amounts(f.immh, f.immb);
      if (found === undefined || found.size === 3) return undefined;
      return { variant: [found.size, f.Q], ...registers(f), low: found.right };
    },
    (code, size = 0, high = 0) => {
      writeHalf(code, code.let(narrowed(code, size, 8)), high === 1);
    },
  );
  if (how === Narrowing.Truncate) return [vector];
  const scalar = row<Fields>(
    `${name} (scalar)`,
    `01 ${U} 111110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5`,
    (f) => {
      const found = amounts(f.immh, f.immb);
      if (found === undefined || found.size === 3) return undefined;
      return { variant: [found.size], ...registers(f), low: found.right };
    },
    (code, size = 0) => {
      write(code, narrowed(code, size, 1 << size), 1 << size);
    },
  );
  return [vector, scalar];
});

const lengthening: Definition = row<Fields>(
  'SSHLL, USHLL, SSHLL2, USHLL2',
  '0 Q U 011110 immh:4 immb:3 10100 1 Rn:5 Rd:5',
  (f) => {
    const found = amounts(f.immh, f.immb);
    if (found === undefined || found.size === 3) return undefined;
    return { variant: [f.U, found.size, f.Q], ...registers(f), low: found.left };
  },
  (code, unsigned = 0, size = 0, high = 0) => {
    const wide = wideningFrom(size).extend(unsigned === 0, high === 1, code.q('n'));
    code.setQ('d', integerShape(size + 1).shl(wide, code.low()));
  },
);

/** Advanced SIMD and scalar shift by immediate, integer (Arm ARM, C4.1.96). */
export const shiftImmediate: readonly Definition[] = [...families.flatMap(sameWidth), ...narrowing, lengthening];
