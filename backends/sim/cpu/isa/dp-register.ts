import {
  addSettingFlags,
  addWithCarry,
  atWidth,
  logicFlags,
  signedHigh,
  subSettingFlags,
  unsignedHigh,
} from './arithmetic.ts';
import type { Width, Word } from './arithmetic.ts';
import { insn, xDest, xOrSp, xSource, type Definition } from './definition.ts';
import type { Lowering } from './lowering.ts';
import { i32, i64, type I32, type I64 } from '../wasm/expr.ts';
import { LookupTable } from '../layout.ts';

/** LSL, LSR, ASR, ROR of Rm by the constant; a shift of LSL #0 is variant `NoShift`. */
const NoShift = 4;
function shiftedOperand<T extends Word>(w: Width<T>, code: Lowering, shift: number | undefined): T {
  const value = w.read(code, 'm');
  if (shift === NoShift) return value;
  const operation = [w.shl, w.shrU, w.shrS, w.rotr][shift ?? 0] ?? w.shl;
  return operation(value, w.fromI32(code.low()));
}

/** ExtendReg of the shared pseudocode: Rm extended by `option`, then shifted left by the constant. */
function extendedOperand<T extends Word>(w: Width<T>, code: Lowering, option: number | undefined): T {
  const m = code.x('m');
  const extended = [
    i64.and(m, i64.const(0xffn)),
    i64.and(m, i64.const(0xffffn)),
    i64.extendI32U(code.w('m')),
    m,
    i64.extend8S(m),
    i64.extend16S(m),
    i64.extend32S(m),
    m,
  ][option ?? 3];
  const shifted = i64.shl(extended ?? m, i64.extendI32U(code.low()));
  // At 32 bits only the low bits matter, so the 64-bit value serves both widths.
  return w.bits === 64 ? (shifted as T) : (i32.wrap(shifted) as T);
}

function shiftVariant(sf: number, shift: number, imm6: number, noRor: boolean): number | undefined {
  if ((sf === 0 && imm6 > 31) || (noRor && shift === 3)) return undefined;
  return shift === 0 && imm6 === 0 ? NoShift : shift;
}

function conditionalSelect<T extends Word>(w: Width<T>, code: Lowering, form: number): T {
  const m = w.read(code, 'm');
  switch (form) {
    case 0:
      return m;
    case 1:
      return w.add(m, w.const(1n));
    case 2:
      return w.xor(m, w.const(-1n));
    default:
      return w.sub(w.const(0n), m);
  }
}

function swapBits(value: I64, mask: bigint, by: bigint): I64 {
  const high = i64.and(i64.shrU(value, i64.const(by)), i64.const(mask));
  return i64.or(high, i64.shl(i64.and(value, i64.const(mask)), i64.const(by)));
}

/** Reverses the units of `from` bits within each container of `to` bits. */
function reverse(code: Lowering, value: I64, from: number, to: number): I64 {
  const masks: readonly (readonly [number, bigint])[] = [
    [1, 0x5555_5555_5555_5555n],
    [2, 0x3333_3333_3333_3333n],
    [4, 0x0f0f_0f0f_0f0f_0f0fn],
    [8, 0x00ff_00ff_00ff_00ffn],
    [16, 0x0000_ffff_0000_ffffn],
    [32, 0x0000_0000_ffff_ffffn],
  ];
  let result = value;
  for (const [bits, mask] of masks) {
    if (bits >= from && bits < to) result = swapBits(code.let(result), mask, BigInt(bits));
  }
  return result;
}

function crc(code: Lowering, bytes: number, table: number): I32 {
  const data = code.let(code.x('m'));
  let sum = code.w('n');
  for (let index = 0; index < bytes; index += 1) {
    const byte = i32.wrap(i64.shrU(data, i64.const(BigInt(index * 8))));
    const at = code.let(sum);
    const entry = i32.shl(i32.and(i32.xor(at, byte), i32.const(0xff)), i32.const(2));
    sum = i32.xor(i32.load(entry, table), i32.shrU(at, i32.const(8)));
  }
  return sum;
}

/** Data processing with registers (Arm ARM, C4.1.95). */
export const dpRegister: readonly Definition[] = [
  insn(
    'AND, ORR, EOR, ANDS (shifted register); BIC, ORN, EON, BICS',
    'sf opc:2 01010 shift:2 N Rm:5 imm6:6 Rn:5 Rd:5',
    ({ sf, opc, shift, N, Rm, imm6, Rn, Rd }) => {
      const kind = shiftVariant(sf, shift, imm6, false);
      if (kind === undefined) return undefined;
      // ORR with XZR is MOV, the most common form.
      if (opc === 1 && N === 0 && Rn === 31 && kind === NoShift) {
        return { variant: [sf, 4, 0, kind], d: xDest(Rd), m: xSource(Rm) };
      }
      return { variant: [sf, opc, N, kind], d: xDest(Rd), n: xSource(Rn), m: xSource(Rm), low: imm6 };
    },
    (code, sf, opc, invert, shift) => {
      atWidth(sf, (w) => {
        const shifted = shiftedOperand(w, code, shift);
        if (opc === 4) return w.write(code, 'd', shifted);
        const m = invert === 1 ? w.xor(shifted, w.const(-1n)) : shifted;
        const operation = [w.and, w.or, w.xor, w.and][opc] ?? w.and;
        const result = operation(w.read(code, 'n'), m);
        w.write(code, 'd', opc === 3 ? logicFlags(w, code, result) : result);
      });
    },
  ),
  insn(
    'ADD, ADDS, SUB, SUBS (shifted register)',
    'sf op S 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    ({ sf, op, S, shift, Rm, imm6, Rn, Rd }) => {
      const kind = shiftVariant(sf, shift, imm6, true);
      if (kind === undefined) return undefined;
      return { variant: [sf, op, S, kind], d: xDest(Rd), n: xSource(Rn), m: xSource(Rm), low: imm6 };
    },
    (code, sf, op, flags, shift) => {
      atWidth(sf, (w) => {
        const n = w.read(code, 'n');
        const m = shiftedOperand(w, code, shift);
        const plain = op === 1 ? w.sub : w.add;
        const setting = op === 1 ? subSettingFlags : addSettingFlags;
        w.write(code, 'd', flags === 1 ? setting(w, code, n, m) : plain(n, m));
      });
    },
  ),
  insn(
    'ADD, ADDS, SUB, SUBS (extended register)',
    'sf op S 01011 001 Rm:5 option:3 imm3:3 Rn:5 Rd:5',
    ({ sf, op, S, Rm, option, imm3, Rn, Rd }) => {
      if (imm3 > 4) return undefined;
      return {
        variant: [sf, op, S, option],
        d: S === 1 ? xDest(Rd) : xOrSp(Rd),
        n: xOrSp(Rn),
        m: xSource(Rm),
        low: imm3,
      };
    },
    (code, sf, op, flags, option) => {
      atWidth(sf, (w) => {
        const n = w.read(code, 'n');
        const m = extendedOperand(w, code, option);
        const plain = op === 1 ? w.sub : w.add;
        const setting = op === 1 ? subSettingFlags : addSettingFlags;
        w.write(code, 'd', flags === 1 ? setting(w, code, n, m) : plain(n, m));
      });
    },
  ),
  insn(
    'ADC, ADCS, SBC, SBCS',
    'sf op S 11010000 Rm:5 000000 Rn:5 Rd:5',
    ({ sf, op, S, Rm, Rn, Rd }) => ({ variant: [sf, op, S], d: xDest(Rd), n: xSource(Rn), m: xSource(Rm) }),
    (code, sf, op, flags) => {
      atWidth(sf, (w) => {
        const m = w.read(code, 'm');
        const second = op === 1 ? w.xor(m, w.const(-1n)) : m;
        w.write(code, 'd', addWithCarry(w, code, w.read(code, 'n'), second, flags === 1));
      });
    },
  ),
  insn(
    'CCMN, CCMP',
    'sf op 1 11010010 m:5 cond:4 i 0 Rn:5 0 nzcv:4',
    ({ sf, op, m, cond, i, Rn, nzcv }) => ({
      variant: [sf, op, i, cond],
      n: xSource(Rn),
      ...(i === 0 ? { m: xSource(m) } : {}),
      low: m,
      high: nzcv,
    }),
    (code, sf, op, immediate, cond) => {
      atWidth(sf, (w) => {
        code.if(
          code.condition(cond),
          () => {
            const second = immediate === 1 ? w.fromI32(code.low()) : w.read(code, 'm');
            const setting = op === 1 ? subSettingFlags : addSettingFlags;
            setting(w, code, w.read(code, 'n'), second);
          },
          () => {
            code.setNzcv(i32.shl(code.high(), i32.const(28)));
          },
        );
      });
    },
  ),
  insn(
    'CSEL, CSINC, CSINV, CSNEG',
    'sf op 0 11010100 Rm:5 cond:4 0 o2 Rn:5 Rd:5',
    ({ sf, op, Rm, cond, o2, Rn, Rd }) => ({
      variant: [sf, op * 2 + o2, cond],
      d: xDest(Rd),
      n: xSource(Rn),
      m: xSource(Rm),
    }),
    (code, sf, form, cond) => {
      atWidth(sf, (w) => {
        const otherwise = conditionalSelect(w, code, form);
        w.write(code, 'd', w.select(code.condition(cond), w.read(code, 'n'), otherwise));
      });
    },
  ),
  insn(
    'UDIV, SDIV',
    'sf 0 0 11010110 Rm:5 00001 o Rn:5 Rd:5',
    ({ sf, o, Rm, Rn, Rd }) => ({ variant: [sf, o], d: xDest(Rd), n: xSource(Rn), m: xSource(Rm) }),
    (code, sf, signed) => {
      atWidth(sf, (w) => {
        const n = w.let(code, w.read(code, 'n'));
        const m = w.let(code, w.read(code, 'm'));
        const quotient = signed === 1 ? w.divS : w.divU;
        code.if(
          w.eqz(m),
          () => {
            w.write(code, 'd', w.const(0n));
          },
          () => {
            if (signed === 0) return w.write(code, 'd', quotient(n, m));
            // The one quotient that does not fit: WebAssembly traps where A64 wraps.
            code.if(
              w.eq(m, w.const(-1n)),
              () => {
                w.write(code, 'd', w.sub(w.const(0n), n));
              },
              () => {
                w.write(code, 'd', quotient(n, m));
              },
            );
          },
        );
      });
    },
  ),
  insn(
    'LSLV, LSRV, ASRV, RORV',
    'sf 0 0 11010110 Rm:5 0010 op:2 Rn:5 Rd:5',
    ({ sf, op, Rm, Rn, Rd }) => ({ variant: [sf, op], d: xDest(Rd), n: xSource(Rn), m: xSource(Rm) }),
    (code, sf, op) => {
      atWidth(sf, (w) => {
        const operation = [w.shl, w.shrU, w.shrS, w.rotr][op] ?? w.shl;
        w.write(code, 'd', operation(w.read(code, 'n'), w.read(code, 'm')));
      });
    },
  ),
  insn(
    'CRC32B, CRC32H, CRC32W, CRC32X; CRC32CB, CRC32CH, CRC32CW, CRC32CX',
    'sf 0 0 11010110 Rm:5 010 C sz:2 Rn:5 Rd:5',
    ({ sf, C, sz, Rm, Rn, Rd }) => {
      if ((sz === 3) !== (sf === 1)) return undefined;
      return { variant: [C, 1 << sz], d: xDest(Rd), n: xSource(Rn), m: xSource(Rm) };
    },
    (code, castagnoli, bytes) => {
      code.setW('d', crc(code, bytes, castagnoli === 1 ? LookupTable.Crc32c : LookupTable.Crc32));
    },
  ),
  insn(
    'RBIT',
    'sf 1 0 11010110 00000 000000 Rn:5 Rd:5',
    ({ sf, Rn, Rd }) => ({ variant: [sf], d: xDest(Rd), n: xSource(Rn) }),
    (code, sf) => {
      if (sf === 1) code.setX('d', reverse(code, code.x('n'), 1, 64));
      else code.setX('d', reverse(code, i64.extendI32U(code.w('n')), 1, 32));
    },
  ),
  insn(
    'REV16, REV32, REV',
    'sf 1 0 11010110 00000 0000 opc:2 Rn:5 Rd:5',
    ({ sf, opc, Rn, Rd }) => {
      if (opc === 0 || (sf === 0 && opc === 3)) return undefined;
      return { variant: [sf, 8 << opc], d: xDest(Rd), n: xSource(Rn) };
    },
    (code, sf, container) => {
      code.setX('d', reverse(code, sf === 1 ? code.x('n') : i64.extendI32U(code.w('n')), 8, container));
    },
  ),
  insn(
    'CLZ, CLS',
    'sf 1 0 11010110 00000 00010 op Rn:5 Rd:5',
    ({ sf, op, Rn, Rd }) => ({ variant: [sf, op], d: xDest(Rd), n: xSource(Rn) }),
    (code, sf, countSign) => {
      atWidth(sf, (w) => {
        if (countSign === 0) return w.write(code, 'd', w.clz(w.read(code, 'n')));
        const n = w.let(code, w.read(code, 'n'));
        const folded = w.xor(n, w.shrS(n, w.const(BigInt(w.bits - 1))));
        w.write(code, 'd', w.sub(w.clz(folded), w.const(1n)));
      });
    },
  ),
  insn(
    'MADD, MSUB',
    'sf 00 11011 000 Rm:5 o0 Ra:5 Rn:5 Rd:5',
    ({ sf, o0, Rm, Ra, Rn, Rd }) => ({
      variant: [sf, o0],
      d: xDest(Rd),
      n: xSource(Rn),
      m: xSource(Rm),
      a: xSource(Ra),
    }),
    (code, sf, subtract) => {
      atWidth(sf, (w) => {
        const product = w.mul(w.read(code, 'n'), w.read(code, 'm'));
        const addend = w.read(code, 'a');
        w.write(code, 'd', subtract === 1 ? w.sub(addend, product) : w.add(addend, product));
      });
    },
  ),
  insn(
    'SMADDL, SMSUBL, UMADDL, UMSUBL',
    '1 00 11011 U 01 Rm:5 o0 Ra:5 Rn:5 Rd:5',
    ({ U, o0, Rm, Ra, Rn, Rd }) => ({
      variant: [U, o0],
      d: xDest(Rd),
      n: xSource(Rn),
      m: xSource(Rm),
      a: xSource(Ra),
    }),
    (code, unsigned, subtract) => {
      const extend = unsigned === 1 ? i64.extendI32U : i64.extendI32S;
      const product = i64.mul(extend(code.w('n')), extend(code.w('m')));
      code.setX('d', subtract === 1 ? i64.sub(code.x('a'), product) : i64.add(code.x('a'), product));
    },
  ),
  insn(
    'SMULH, UMULH',
    '1 00 11011 U 10 Rm:5 0 xxxxx Rn:5 Rd:5',
    ({ U, Rm, Rn, Rd }) => ({ variant: [U], d: xDest(Rd), n: xSource(Rn), m: xSource(Rm) }),
    (code, unsigned) => {
      const high = unsigned === 1 ? unsignedHigh : signedHigh;
      code.setX('d', high(code, code.x('n'), code.x('m')));
    },
  ),
];
