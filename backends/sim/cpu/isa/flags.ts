import { insn, xSource, type Definition } from './definition.ts';
import type { Lowering } from './lowering.ts';
import { i32, i64, type I32 } from '../wasm/expr.ts';

/** Sets N, Z, C and V from those of the moment, each 0 or 1. */
function change(code: Lowering, result: (flags: Flags) => Partial<Flags>): void {
  const nzcv = code.let(code.nzcv());
  const bit = (n: number): I32 => i32.and(i32.shrU(nzcv, i32.const(n)), i32.const(1));
  const none = i32.const(0);
  const { n = none, z = none, c = none, v = none } = result({ n: bit(31), z: bit(30), c: bit(29), v: bit(28) });
  const at = (value: I32, shift: number): I32 => i32.shl(value, i32.const(shift));
  code.setNzcv(i32.or(i32.or(at(n, 31), at(z, 30)), i32.or(at(c, 29), at(v, 28))));
}

type Flags = Readonly<Record<'n' | 'z' | 'c' | 'v', I32>>;

function not(flag: I32): I32 {
  return i32.xor(flag, i32.const(1));
}

/** Instructions that only change flags: FEAT_FlagM and FEAT_FlagM2 (Arm ARM, C4.1.94 and C4.1.95). */
export const flags: readonly Definition[] = [
  insn(
    'CFINV',
    '1101010100 0 00 000 0100 0000 000 11111',
    () => ({}),
    (code) => {
      code.setNzcv(i32.xor(code.nzcv(), i32.const(1 << 29)));
    },
  ),
  insn(
    'XAFLAG',
    '1101010100 0 00 000 0100 0000 001 11111',
    () => ({}),
    (code) => {
      change(code, ({ z, c }) => ({
        n: i32.and(not(c), not(z)),
        z: i32.and(z, c),
        c: i32.or(c, z),
        v: i32.and(not(c), z),
      }));
    },
  ),
  insn(
    'AXFLAG',
    '1101010100 0 00 000 0100 0000 010 11111',
    () => ({}),
    (code) => {
      change(code, ({ z, c, v }) => ({ z: i32.or(z, v), c: i32.and(c, not(v)) }));
    },
  ),
  insn(
    'SETF8, SETF16',
    '0 0 1 11010000 000000 sz 0010 Rn:5 0 1101',
    ({ sz, Rn }) => ({ variant: [8 << sz], n: xSource(Rn) }),
    (code, bits = 8) => {
      const value = code.let(code.w('n'));
      const top = i32.shl(value, i32.const(32 - bits));
      const overflow = i32.and(
        i32.shrU(i32.xor(value, i32.shrU(value, i32.const(1))), i32.const(bits - 1)),
        i32.const(1),
      );
      change(code, ({ c }) => ({ n: i32.shrU(top, i32.const(31)), z: i32.eqz(top), c, v: overflow }));
    },
  ),
  insn(
    'RMIF',
    '1 01 11010000 imm6:6 00001 Rn:5 0 mask:4',
    ({ imm6, Rn, mask }) => ({ n: xSource(Rn), small: imm6, low: mask }),
    (code) => {
      const rotated = i32.wrap(i64.rotr(code.x('n'), i64.extendI32U(code.small())));
      const mask = code.let(i32.shl(code.low(), i32.const(28)));
      const kept = i32.and(code.nzcv(), i32.xor(mask, i32.const(-1)));
      code.setNzcv(i32.or(kept, i32.and(i32.shl(rotated, i32.const(28)), mask)));
    },
  ),
];
