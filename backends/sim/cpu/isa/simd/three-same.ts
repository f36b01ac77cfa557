import { insn, vRegister, type Definition } from '../definition.ts';
import { i32, v128, type V128 } from '../../wasm/expr.ts';
import { integerShape, type IntegerShape } from '../../wasm/lane-shapes.ts';
import { doublingHigh } from './doubling.ts';
import { saturatingAdd, saturatingSub } from './saturation.ts';
import { shiftByRegister } from './shift-register.ts';
import { keptByQ, laneBytes, pick, row, write, zeroVector, type VectorOperands } from './vector.ts';

/** The encoding's `U` bit: fixed, or `U` if it selects the unsigned form. */
type UBit = '0' | '1' | 'U';

interface Family {
  readonly name: string;
  readonly U: UBit;
  readonly opcode: string;
  /** Values of `size` that are allocated for vectors, and for scalars if there is a scalar form. */
  readonly sizes: readonly number[];
  readonly scalars?: readonly number[];
  readonly result: (operands: VectorOperands, signed: boolean) => V128;
}

const ONE = i32.const(1);

function half(shape: IntegerShape, signed: boolean, value: V128): V128 {
  return signed ? shape.shrS(value, ONE) : shape.shrU(value, ONE);
}

function extreme({ shape, n, m }: VectorOperands, signed: boolean, larger: boolean): V128 {
  if (larger) return signed ? shape.maxS(n, m) : shape.maxU(n, m);
  return signed ? shape.minS(n, m) : shape.minU(n, m);
}

export function absoluteDifference(shape: IntegerShape, signed: boolean, n: V128, m: V128): V128 {
  return signed ? shape.sub(shape.maxS(n, m), shape.minS(n, m)) : shape.sub(shape.maxU(n, m), shape.minU(n, m));
}

/** Operands of a pairwise operation: the even and the odd elements of Vn followed by Vm. */
export function pairs({ code, shape, kept, n, m }: VectorOperands): { even: V128; odd: V128 } {
  const lanes = kept / shape.bytes;
  const from = (odd: number): number[] =>
    Array.from({ length: 16 / shape.bytes }, (_, lane) => {
      const at = (lane % lanes) * 2 + odd;
      // With Q = 0 the low halves of the registers are concatenated.
      return at < lanes ? at : at - lanes + 16 / shape.bytes;
    });
  const take = (odd: number): V128 => code.let(pick(code, [n, m], laneBytes(shape.bytes, from(odd))));
  return { even: take(0), odd: take(1) };
}

/** Multiplication of polynomials over {0, 1}, byte by byte. */
function polynomialMultiply({ code, shape, n, m }: VectorOperands): V128 {
  let product = zeroVector;
  for (let bit = 0; bit < 8; bit += 1) {
    const selected = shape.all(1n << BigInt(bit));
    const term = v128.and(shape.shl(n, i32.const(bit)), shape.eq(v128.and(m, selected), selected));
    product = code.let(v128.xor(product, term));
  }
  return product;
}

const bytesToWords = [0, 1, 2];
const all = [0, 1, 2, 3];

const families: readonly Family[] = [
  {
    name: 'SHADD, UHADD',
    U: 'U',
    opcode: '00000',
    sizes: bytesToWords,
    result: ({ shape, n, m }, signed) => shape.add(v128.and(n, m), half(shape, signed, v128.xor(n, m))),
  },
  {
    name: 'SQADD, UQADD',
    U: 'U',
    opcode: '00001',
    sizes: all,
    scalars: all,
    result: ({ code, size, kept, n, m }, signed) => saturatingAdd(code, size, kept, signed, n, m),
  },
  {
    name: 'SRHADD, URHADD',
    U: 'U',
    opcode: '00010',
    sizes: bytesToWords,
    result: ({ shape, n, m }, signed) => shape.sub(v128.or(n, m), half(shape, signed, v128.xor(n, m))),
  },
  {
    name: 'SHSUB, UHSUB',
    U: 'U',
    opcode: '00100',
    sizes: bytesToWords,
    result: ({ shape, n, m }, signed) => {
      // Half of each operand, minus the borrow where only the bit 0 of Vm is set.
      const borrow = v128.and(v128.andnot(m, n), shape.all(1n));
      return shape.sub(shape.sub(half(shape, signed, n), half(shape, signed, m)), borrow);
    },
  },
  {
    name: 'SQSUB, UQSUB',
    U: 'U',
    opcode: '00101',
    sizes: all,
    scalars: all,
    result: ({ code, size, kept, n, m }, signed) => saturatingSub(code, size, kept, signed, n, m),
  },
  {
    name: 'CMGT (register), CMHI',
    U: 'U',
    opcode: '00110',
    sizes: all,
    scalars: [3],
    result: ({ shape, n, m }, signed) => (signed ? shape.gtS(n, m) : shape.gtU(n, m)),
  },
  {
    name: 'CMGE (register), CMHS',
    U: 'U',
    opcode: '00111',
    sizes: all,
    scalars: [3],
    result: ({ shape, n, m }, signed) => (signed ? shape.geS(n, m) : shape.geU(n, m)),
  },
  {
    name: 'SMAX, UMAX',
    U: 'U',
    opcode: '01100',
    sizes: bytesToWords,
    result: (operands, signed) => extreme(operands, signed, true),
  },
  {
    name: 'SMIN, UMIN',
    U: 'U',
    opcode: '01101',
    sizes: bytesToWords,
    result: (operands, signed) => extreme(operands, signed, false),
  },
  {
    name: 'SABD, UABD',
    U: 'U',
    opcode: '01110',
    sizes: bytesToWords,
    result: ({ shape, n, m }, signed) => absoluteDifference(shape, signed, n, m),
  },
  {
    name: 'SABA, UABA',
    U: 'U',
    opcode: '01111',
    sizes: bytesToWords,
    result: ({ code, shape, n, m }, signed) => shape.add(code.q('d'), absoluteDifference(shape, signed, n, m)),
  },
  {
    name: 'ADD (vector)',
    U: '0',
    opcode: '10000',
    sizes: all,
    scalars: [3],
    result: ({ shape, n, m }) => shape.add(n, m),
  },
  {
    name: 'SUB (vector)',
    U: '1',
    opcode: '10000',
    sizes: all,
    scalars: [3],
    result: ({ shape, n, m }) => shape.sub(n, m),
  },
  {
    name: 'CMTST',
    U: '0',
    opcode: '10001',
    sizes: all,
    scalars: [3],
    result: ({ shape, n, m }) => v128.not(shape.eq(v128.and(n, m), zeroVector)),
  },
  {
    name: 'CMEQ (register)',
    U: '1',
    opcode: '10001',
    sizes: all,
    scalars: [3],
    result: ({ shape, n, m }) => shape.eq(n, m),
  },
  {
    name: 'MLA (vector)',
    U: '0',
    opcode: '10010',
    sizes: bytesToWords,
    result: ({ code, shape, n, m }) => shape.add(code.q('d'), shape.mul(n, m)),
  },
  {
    name: 'MLS (vector)',
    U: '1',
    opcode: '10010',
    sizes: bytesToWords,
    result: ({ code, shape, n, m }) => shape.sub(code.q('d'), shape.mul(n, m)),
  },
  {
    name: 'MUL (vector)',
    U: '0',
    opcode: '10011',
    sizes: bytesToWords,
    result: ({ shape, n, m }) => shape.mul(n, m),
  },
  { name: 'PMUL', U: '1', opcode: '10011', sizes: [0], result: polynomialMultiply },
  {
    name: 'SMAXP, UMAXP',
    U: 'U',
    opcode: '10100',
    sizes: bytesToWords,
    result: (operands, signed) => {
      const { even, odd } = pairs(operands);
      return extreme({ ...operands, n: even, m: odd }, signed, true);
    },
  },
  {
    name: 'SMINP, UMINP',
    U: 'U',
    opcode: '10101',
    sizes: bytesToWords,
    result: (operands, signed) => {
      const { even, odd } = pairs(operands);
      return extreme({ ...operands, n: even, m: odd }, signed, false);
    },
  },
  {
    name: 'SQDMULH (vector)',
    U: '0',
    opcode: '10110',
    sizes: [1, 2],
    scalars: [1, 2],
    result: ({ code, size, kept, n, m }) => doublingHigh(code, size, kept, false, n, m),
  },
  {
    name: 'SQRDMULH (vector)',
    U: '1',
    opcode: '10110',
    sizes: [1, 2],
    scalars: [1, 2],
    result: ({ code, size, kept, n, m }) => doublingHigh(code, size, kept, true, n, m),
  },
  {
    name: 'ADDP (vector)',
    U: '0',
    opcode: '10111',
    sizes: all,
    result: (operands) => {
      const { even, odd } = pairs(operands);
      return operands.shape.add(even, odd);
    },
  },
];

type Fields = 'Q' | 'U' | 'size' | 'Rm' | 'Rn' | 'Rd';

function registers({ Rm, Rn, Rd }: Readonly<Record<'Rm' | 'Rn' | 'Rd', number>>) {
  return { d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
}

function definitions({ name, U, opcode, sizes, scalars = [], result }: Family): readonly Definition[] {
  const lower: Definition['lower'] = (code, [unsigned = 0, size = 0, kept = 16]) => {
    const shape = integerShape(size);
    const operands = { code, size, kept, shape, n: code.let(code.q('n')), m: code.let(code.q('m')) };
    write(code, result(operands, unsigned === 0), kept);
  };
  const vector = row<Fields>(
    name,
    `0 Q ${U} 01110 size:2 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`,
    (f) => {
      if (!sizes.includes(f.size) || (f.size === 3 && f.Q === 0)) return undefined;
      return { variant: [U === 'U' ? f.U : 0, f.size, keptByQ(f.Q)], ...registers(f) };
    },
    (code, ...variant) => {
      lower(code, variant);
    },
  );
  if (scalars.length === 0) return [vector];
  const scalar = row<Fields>(
    `${name} (scalar)`,
    `01 ${U} 11110 size:2 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`,
    (f) => {
      if (!scalars.includes(f.size)) return undefined;
      return { variant: [U === 'U' ? f.U : 0, f.size, 1 << f.size], ...registers(f) };
    },
    (code, ...variant) => {
      lower(code, variant);
    },
  );
  return [vector, scalar];
}

/** AND, BIC, ORR, ORN; EOR, BSL, BIT, BIF: by U and size. */
const logical: Definition = insn(
  'AND, BIC, ORR, ORN, EOR, BSL, BIT, BIF (vector)',
  '0 Q U 01110 size:2 1 Rm:5 00011 1 Rn:5 Rd:5',
  (f) => ({ variant: [f.U * 4 + f.size, keptByQ(f.Q)], ...registers(f) }),
  (code, operation = 0, kept = 16) => {
    const n = code.q('n');
    const m = code.q('m');
    const d = code.q('d');
    const results = [
      v128.and(n, m),
      v128.andnot(n, m),
      v128.or(n, m),
      v128.or(n, v128.not(m)),
      v128.xor(n, m),
      v128.bitselect(n, m, d),
      v128.bitselect(n, d, m),
      v128.bitselect(d, n, m),
    ];
    write(code, results[operation] ?? n, kept);
  },
);

/** SSHL and its kin: shifts by a signed amount in each element of Vm. */
const shifts: readonly Definition[] = [
  ['SSHL, USHL', '01000'],
  ['SQSHL, UQSHL (register)', '01001'],
  ['SRSHL, URSHL', '01010'],
  ['SQRSHL, UQRSHL', '01011'],
].flatMap(([name = '', opcode = '']) => {
  const rounding = opcode[3] === '1';
  const saturating = opcode[4] === '1';
  const lower = (code: Parameters<Definition['lower']>[0], unsigned = 0, size = 0, kept = 16): void => {
    shiftByRegister(code, size, kept, unsigned === 0, rounding, saturating);
  };
  return [
    row<Fields>(
      name,
      `0 Q U 01110 size:2 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`,
      (f) => {
        if (f.size === 3 && f.Q === 0) return undefined;
        return { variant: [f.U, f.size, keptByQ(f.Q)], ...registers(f) };
      },
      lower,
    ),
    row<Fields>(
      `${name} (scalar)`,
      `01 U 11110 size:2 1 Rm:5 ${opcode} 1 Rn:5 Rd:5`,
      (f) => {
        if (!saturating && f.size !== 3) return undefined;
        return { variant: [f.U, f.size, 1 << f.size], ...registers(f) };
      },
      lower,
    ),
  ];
});

/** Advanced SIMD and scalar three same, integer (Arm ARM, C4.1.96). */
export const threeSame: readonly Definition[] = [logical, ...families.flatMap(definitions), ...shifts];
