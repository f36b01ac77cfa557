import { address, base, Mode } from './addressing.ts';
import { insn, vElement, vRegister, xDest, xOrSp, xSource, type Definition } from './definition.ts';
import { signExtend } from './encoding.ts';
import { loadValue, loadVector, storeValue, storeVector } from './loads-stores.ts';
import type { Lowering } from './lowering.ts';
import { i64, type I32 } from '../wasm/expr.ts';

/** FEAT_LRCPC3: ordered loads and stores of pairs, with write-back, and of SIMD&FP registers (Arm ARM, C4.1.94). */

function load(code: Lowering, place: I32, bytes: number, offset: number): void {
  const read = bytes === 8 ? i64.load : i64.load32U;
  code.setX('d', read(place));
  code.setX('m', read(place, offset));
}

/** The general-purpose forms. */
export const orderedPairs: readonly Definition[] = [
  insn(
    'LDAPR (post-indexed), STLR (pre-indexed)',
    '1 sz 011001 1 L 0 000000000 10 Rn:5 Rt:5',
    ({ sz, L, Rn, Rt }) => ({
      variant: [Rn === 31 ? 1 : 0, 2 + sz, L],
      d: L === 1 ? xDest(Rt) : xSource(Rt),
      n: xOrSp(Rn),
      imm: BigInt.asUintN(64, BigInt(L === 1 ? 4 << sz : -(4 << sz))),
    }),
    (code, sp, scale = 3, loads) => {
      const { at, done } = address(code, loads === 1 ? Mode.Post : Mode.Pre, sp);
      const bytes = 1 << scale;
      const store = (place: I32): void => {
        storeValue(code, place, scale, 'd');
      };
      if (loads === 1) code.setX('d', loadValue(code.readableAligned(at, bytes, true), scale, 0));
      else code.writableAligned(at, bytes, store, true);
      done();
    },
  ),
  insn(
    'LDIAPP, STILP',
    '1 sz 011001 0 L 0 Rt2:5 000 offset 10 Rn:5 Rt:5',
    ({ sz, L, Rt2, offset, Rn, Rt }) => {
      const register = L === 1 ? xDest : xSource;
      const bytes = 8 << sz;
      return {
        variant: [offset === 1 ? Mode.Offset : L === 1 ? Mode.Post : Mode.Pre, Rn === 31 ? 1 : 0, 2 + sz, L],
        d: register(Rt),
        m: register(Rt2),
        n: xOrSp(Rn),
        imm: BigInt.asUintN(64, BigInt(offset === 1 ? 0 : L === 1 ? bytes : -bytes)),
      };
    },
    (code, mode, sp, scale = 3, loads) => {
      const { at, done } = address(code, mode, sp);
      const bytes = 1 << scale;
      const store = (place: I32): void => {
        storeValue(code, place, scale, 'd');
        storeValue(code, place, scale, 'm', bytes);
      };
      if (loads === 1) load(code, code.readableAligned(at, bytes * 2, true), bytes, bytes);
      else code.writableAligned(at, bytes * 2, store, true);
      done();
    },
  ),
];

/** The forms for SIMD&FP registers. */
export const orderedVectors: readonly Definition[] = [
  insn(
    'LDAPUR, STLUR (SIMD&FP)',
    'size:2 011101 opc:2 0 imm9:9 10 Rn:5 Rt:5',
    ({ size, opc, imm9, Rn, Rt }) => {
      const scale = (opc >> 1) * 4 + size;
      if (scale > 4) return undefined;
      return {
        variant: [Rn === 31 ? 1 : 0, scale, opc & 1],
        d: vRegister(Rt),
        n: xOrSp(Rn),
        imm: BigInt.asUintN(64, BigInt(signExtend(imm9, 9))),
      };
    },
    (code, sp, scale = 4, loads) => {
      const { at } = address(code, Mode.Offset, sp);
      const bytes = 1 << scale;
      if (loads === 1) return loadVector(code, 'd', code.readableAligned(at, bytes, true), scale);
      const store = (place: I32): void => {
        storeVector(code, place, scale, 'd');
      };
      code.writableAligned(at, bytes, store, true);
    },
  ),
  insn(
    'LDAP1, STL1',
    '0 Q 0011010 L 0 00001 100001 Rn:5 Rt:5',
    ({ Q, L, Rn, Rt }) => ({ variant: [Rn === 31 ? 1 : 0, L], d: vElement(Rt, 8, Q), n: xOrSp(Rn) }),
    (code, sp, loads) => {
      const at = code.let(base(code, sp));
      if (loads === 1) return code.setElement('d', 8, 0, i64.load(code.readableAligned(at, 8, true)));
      const store = (place: I32): void => {
        code.emit(i64.store(place, code.element('d', 8, 0)));
      };
      code.writableAligned(at, 8, store, true);
    },
  ),
];
