import { address, Mode, singleRegister } from './addressing.ts';
import { insn, vRegister, xDest, xOrSp, xSource, type Definition } from './definition.ts';
import { signExtend } from './encoding.ts';
import type { Lowering, RegisterOperand } from './lowering.ts';
import { i32, i64, v128, type I32, type I64 } from '../wasm/expr.ts';

/** How a loaded value of `1 << scale` bytes is extended: with zeros, or with its sign to 64 or 32 bits. */
export const Extension = { Zero: 0, Signed64: 1, Signed32: 2 } as const;

export function loadValue(place: I32, scale: number, extension: number): I64 {
  if (extension === Extension.Zero) {
    return ([i64.load8U, i64.load16U, i64.load32U, i64.load][scale] ?? i64.load)(place);
  }
  if (extension === Extension.Signed64) {
    return ([i64.load8S, i64.load16S, i64.load32S][scale] ?? i64.load32S)(place);
  }
  return i64.extendI32U(([i32.load8S, i32.load16S][scale] ?? i32.load16S)(place));
}

export function storeValue(code: Lowering, place: I32, scale: number, operand: RegisterOperand, offset = 0): void {
  const store = [i64.store8, i64.store16, i64.store32, i64.store][scale] ?? i64.store;
  code.emit(store(place, code.x(operand), offset));
}

/** Loading the scalar part of a SIMD&FP register clears the rest. */
export function loadVector(code: Lowering, operand: RegisterOperand, place: I32, scale: number, offset = 0): void {
  if (scale === 4) return code.setQ(operand, v128.load(place, offset));
  const load = [i64.load8U, i64.load16U, i64.load32U, i64.load][scale] ?? i64.load;
  const value = code.let(load(place, offset));
  code.setElement(operand, 8, 0, value);
  code.setElement(operand, 8, 1, i64.const(0n));
}

export function storeVector(code: Lowering, place: I32, scale: number, operand: RegisterOperand, offset = 0): void {
  if (scale === 4) return code.emit(v128.store(place, code.q(operand), offset));
  storeValue(code, place, scale, operand, offset);
}

const general = singleRegister(
  'LDR, STR and their byte, halfword and signed forms',
  ({ size, V, opc, Rt }) => {
    if (V !== 0 || (size === 3 && opc >= 2) || (size === 2 && opc === 3)) return undefined;
    if (opc === 0) return { d: xSource(Rt), scale: size, variant: [size, -1] };
    const extension = [Extension.Zero, Extension.Zero, Extension.Signed64, Extension.Signed32][opc] ?? Extension.Zero;
    return { d: xDest(Rt), scale: size, variant: [size, extension] };
  },
  (code, at, [scale = 3, extension = 0], unprivileged) => {
    const bytes = 1 << scale;
    if (extension < 0) {
      const store = (place: I32): void => {
        storeValue(code, place, scale, 'd');
      };
      code.writable(at, bytes, store, bytes, unprivileged);
    } else {
      code.setX('d', loadValue(code.readable(at, bytes, bytes, unprivileged), scale, extension));
    }
  },
);

const simd = singleRegister(
  'LDR, STR (SIMD&FP)',
  ({ size, V, opc, Rt }) => {
    const scale = (opc >> 1) * 4 + size;
    if (V !== 1 || scale > 4) return undefined;
    return { d: vRegister(Rt), scale, variant: [scale, opc & 1] };
  },
  (code, at, [scale = 4, load]) => {
    const bytes = 1 << scale;
    if (load === 1) loadVector(code, 'd', code.readable(at, bytes), scale);
    else {
      code.writable(at, bytes, (place) => {
        storeVector(code, place, scale, 'd');
      });
    }
  },
);

/** Scale and sign extension of a pair; undefined for an unallocated `opc`. */
function pairForm(opc: number, V: number, L: number): { scale: number; signed: boolean } | undefined {
  if (V === 1) return opc === 3 ? undefined : { scale: opc + 2, signed: false };
  if (opc === 3 || (opc === 1 && L === 0)) return undefined;
  return { scale: opc === 2 ? 3 : 2, signed: opc === 1 };
}

const pairs: readonly Definition[] = [
  insn(
    'LDP, STP, LDPSW, LDNP, STNP; SIMD&FP',
    'opc:2 101 V 0 mode:2 L imm7:7 Rt2:5 Rn:5 Rt:5',
    ({ opc, V, mode, L, imm7, Rt2, Rn, Rt }) => {
      const form = pairForm(opc, V, L);
      if (form === undefined || (mode === 0 && form.signed)) return undefined;
      const register = V === 1 ? vRegister : L === 1 ? xDest : xSource;
      return {
        variant: [
          [Mode.Offset, Mode.Post, Mode.Offset, Mode.Pre][mode] ?? Mode.Offset,
          Rn === 31 ? 1 : 0,
          form.scale,
          V,
          L,
          form.signed ? 1 : 0,
        ],
        d: register(Rt),
        m: register(Rt2),
        n: xOrSp(Rn),
        imm: BigInt.asUintN(64, BigInt(signExtend(imm7, 7) * 2 ** form.scale)),
      };
    },
    (code, mode, sp, scale = 3, vector, load, signed) => {
      const { at, done } = address(code, mode, sp);
      const bytes = 1 << scale;
      if (load === 0) {
        code.writable(
          at,
          bytes * 2,
          (place) => {
            const store = vector === 1 ? storeVector : storeValue;
            store(code, place, scale, 'd');
            store(code, place, scale, 'm', bytes);
          },
          bytes,
        );
      } else {
        const place = code.readable(at, bytes * 2, bytes);
        if (vector === 1) {
          loadVector(code, 'd', place, scale);
          loadVector(code, 'm', place, scale, bytes);
        } else {
          const read = signed === 1 ? i64.load32S : scale === 3 ? i64.load : i64.load32U;
          code.setX('d', read(place));
          code.setX('m', read(place, bytes));
        }
      }
      done();
    },
  ),
];

const literals: readonly Definition[] = [
  insn(
    'LDR, LDRSW, PRFM (literal)',
    'opc:2 011 V 00 imm19:19 Rt:5',
    ({ opc, V, imm19, Rt }, pc) => {
      if (V === 1 && opc === 3) return undefined;
      const at = BigInt(pc + signExtend(imm19, 19) * 4);
      return { variant: [opc, V], d: V === 1 ? vRegister(Rt) : xDest(Rt), imm: at };
    },
    (code, opc = 0, vector) => {
      if (vector === 0 && opc === 3) return; // PRFM: a hint
      const at = code.let(code.imm());
      if (vector === 1) return loadVector(code, 'd', code.readable(at, 4 << opc), 2 + opc);
      const scale = opc === 1 ? 3 : 2;
      const extension = opc === 2 ? Extension.Signed64 : Extension.Zero;
      code.setX('d', loadValue(code.readable(at, 1 << scale), scale, extension));
    },
  ),
  insn(
    'PRFM (immediate)',
    '11 111 0 01 10 xxxxxxxxxxxx xxxxx xxxxx',
    () => ({}),
    () => undefined,
  ),
  insn(
    'PRFM (register)',
    '11 111 0 00 10 1 xxxxx x1x x 10 xxxxx xxxxx',
    () => ({}),
    () => undefined,
  ),
  insn(
    'PRFUM',
    '11 111 0 00 10 0 xxxxxxxxx 00 xxxxx xxxxx',
    () => ({}),
    () => undefined,
  ),
];

/** Loads and stores except exclusives and atomics (Arm ARM, C4.1.94). */
export const loadsStores: readonly Definition[] = [...general, ...pairs, ...literals];
/** The forms with V = 1, which need access to SIMD&FP registers and are therefore separate. */
export const simdLoadsStores: readonly Definition[] = simd;
