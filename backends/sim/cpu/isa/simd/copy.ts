import { insn, vElement, vRegister, xDest, xSource, type Definition } from '../definition.ts';
import { i64, v128 } from '../../wasm/expr.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';
import { expandImmediate16, expandImmediate32, expandImmediate64 } from './fp-immediate.ts';
import { keptByQ, signExtended, write } from './vector.ts';

/** The lowest set bit of imm5 gives the element's size; the bits above it are the index. */
function element(imm5: number): { size: number; index: number } | undefined {
  if ((imm5 & 15) === 0) return undefined;
  const size = 31 - Math.clz32(imm5 & -imm5);
  return { size, index: imm5 >> (size + 1) };
}

const copies: readonly Definition[] = [
  insn(
    'DUP (element)',
    '0 Q 0 01110000 imm5:5 0 0000 1 Rn:5 Rd:5',
    ({ Q, imm5, Rn, Rd }) => {
      const found = element(imm5);
      if (found === undefined || (found.size === 3 && Q === 0)) return undefined;
      const { size, index } = found;
      return { variant: [size, keptByQ(Q)], d: vRegister(Rd), n: vElement(Rn, 1 << size, index) };
    },
    (code, size = 0, kept = 16) => {
      const shape = integerShape(size);
      write(code, shape.splat(code.element('n', shape.bytes, 0)), kept);
    },
  ),
  insn(
    'DUP (scalar)',
    '01 0 11110000 imm5:5 0 0000 1 Rn:5 Rd:5',
    ({ imm5, Rn, Rd }) => {
      const found = element(imm5);
      if (found === undefined) return undefined;
      const { size, index } = found;
      return { variant: [size], d: vRegister(Rd), n: vElement(Rn, 1 << size, index) };
    },
    (code, size = 0) => {
      const value = code.let(code.element('n', integerShape(size).bytes, 0));
      code.setElement('d', 8, 0, value);
      code.setElement('d', 8, 1, i64.const(0n));
    },
  ),
  insn(
    'DUP (general)',
    '0 Q 0 01110000 imm5:5 0 0001 1 Rn:5 Rd:5',
    ({ Q, imm5, Rn, Rd }) => {
      const found = element(imm5);
      if (found === undefined || (found.size === 3 && Q === 0)) return undefined;
      return { variant: [found.size, keptByQ(Q)], d: vRegister(Rd), n: xSource(Rn) };
    },
    (code, size = 0, kept = 16) => {
      write(code, integerShape(size).splat(code.x('n')), kept);
    },
  ),
  insn(
    'SMOV',
    '0 Q 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5',
    ({ Q, imm5, Rn, Rd }) => {
      const found = element(imm5);
      if (found === undefined || found.size > 1 + Q) return undefined;
      const { size, index } = found;
      return { variant: [size, Q], d: xDest(Rd), n: vElement(Rn, 1 << size, index) };
    },
    (code, size = 0, to64 = 0) => {
      const { bytes, bits } = integerShape(size);
      const value = signExtended(code.element('n', bytes, 0), bits);
      code.setX('d', to64 === 1 ? value : i64.and(value, i64.const(0xffff_ffffn)));
    },
  ),
  insn(
    'UMOV',
    '0 Q 0 01110000 imm5:5 0 0111 1 Rn:5 Rd:5',
    ({ Q, imm5, Rn, Rd }) => {
      const found = element(imm5);
      if (found === undefined || (found.size === 3) !== (Q === 1)) return undefined;
      const { size, index } = found;
      return { variant: [size], d: xDest(Rd), n: vElement(Rn, 1 << size, index) };
    },
    (code, size = 0) => {
      code.setX('d', code.element('n', integerShape(size).bytes, 0));
    },
  ),
  insn(
    'INS (general)',
    '0 1 0 01110000 imm5:5 0 0011 1 Rn:5 Rd:5',
    ({ imm5, Rn, Rd }) => {
      const found = element(imm5);
      if (found === undefined) return undefined;
      const { size, index } = found;
      return { variant: [size], d: vElement(Rd, 1 << size, index), n: xSource(Rn) };
    },
    (code, size = 0) => {
      code.setElement('d', integerShape(size).bytes, 0, code.x('n'));
    },
  ),
  insn(
    'INS (element)',
    '0 1 1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5',
    ({ imm5, imm4, Rn, Rd }) => {
      const found = element(imm5);
      if (found === undefined) return undefined;
      const { size, index } = found;
      return { variant: [size], d: vElement(Rd, 1 << size, index), n: vElement(Rn, 1 << size, imm4 >> size) };
    },
    (code, size = 0) => {
      const { bytes } = integerShape(size);
      code.setElement('d', bytes, 0, code.element('n', bytes, 0));
    },
  ),
];

function replicate(value: number, bytes: number): bigint {
  let result = 0n;
  for (let at = 0; at < 8; at += bytes) result |= BigInt(value >>> 0) << BigInt(at * 8);
  return result;
}

/** AdvSIMDExpandImm (Arm ARM, shared pseudocode). */
function expandModified(op: number, cmode: number, imm8: number): bigint {
  switch (cmode >> 1) {
    case 0:
    case 1:
    case 2:
    case 3:
      return replicate(imm8 << ((cmode >> 1) * 8), 4);
    case 4:
    case 5:
      return replicate(imm8 << (((cmode >> 1) - 4) * 8), 2);
    case 6:
      return replicate((cmode & 1) === 0 ? (imm8 << 8) | 0xff : (imm8 << 16) | 0xffff, 4);
    default:
      if (cmode === 14) return op === 0 ? replicate(imm8, 1) : bytesOfBits(imm8);
      return op === 0 ? replicate(expandImmediate32(imm8), 4) : expandImmediate64(imm8);
  }
}

/** Each bit as a byte of all zeros or all ones. */
function bytesOfBits(imm8: number): bigint {
  let result = 0n;
  for (let bit = 0; bit < 8; bit += 1) if ((imm8 >> bit) & 1) result |= 0xffn << BigInt(bit * 8);
  return result;
}

const Modified = { Move: 0, Or: 1, Clear: 2 } as const;

const modifiedImmediate = insn(
  'MOVI, MVNI, ORR, BIC, FMOV (vector, immediate)',
  '0 Q op 0111100000 abc:3 cmode:4 0 1 defgh:5 Rd:5',
  ({ Q, op, abc, cmode, defgh, Rd }) => {
    if (cmode === 15 && op === 1 && Q === 0) return undefined;
    const imm = expandModified(op, cmode, abc * 32 + defgh);
    const combines = cmode < 12 && (cmode & 1) === 1;
    const inverted = cmode < 14 && op === 1;
    const operation = combines ? (op === 1 ? Modified.Clear : Modified.Or) : Modified.Move;
    return {
      variant: [operation, keptByQ(Q)],
      d: vRegister(Rd),
      imm: inverted ? BigInt.asUintN(64, ~imm) : imm,
    };
  },
  (code, operation = 0, kept = 16) => {
    const imm = v128.splatI64(code.imm());
    if (operation === Modified.Move) return write(code, imm, kept);
    // For BIC the constant has been inverted already.
    write(code, operation === Modified.Or ? v128.or(code.q('d'), imm) : v128.and(code.q('d'), imm), kept);
  },
);

const halfImmediate = insn(
  'FMOV (vector, immediate, half-precision)',
  '0 Q 0 0111100000 abc:3 1111 1 1 defgh:5 Rd:5',
  ({ Q, abc, defgh, Rd }) => ({
    variant: [keptByQ(Q)],
    d: vRegister(Rd),
    imm: replicate(expandImmediate16(abc * 32 + defgh), 2),
  }),
  (code, kept = 16) => {
    write(code, v128.splatI64(code.imm()), kept);
  },
);

/** Advanced SIMD copy and modified immediate (Arm ARM, C4.1.96). */
export const copy: readonly Definition[] = [...copies, modifiedImmediate, halfImmediate];
