import { address, Mode } from './addressing.ts';
import { insn, xDest, xOrSp, xSource, type Definition } from './definition.ts';
import { signExtend } from './encoding.ts';
import { Extension, loadValue, storeValue } from './loads-stores.ts';

const STORE = -1;

/** FEAT_LRCPC2: ordered loads and stores with an offset (Arm ARM, C4.1.94). All accesses are in program order. */
export const orderedLoadsStores: readonly Definition[] = [
  insn(
    'LDAPUR, STLUR and their byte, halfword and signed forms',
    'size:2 011001 opc:2 0 imm9:9 00 Rn:5 Rt:5',
    ({ size, opc, imm9, Rn, Rt }) => {
      if ((size === 3 && opc >= 2) || (size === 2 && opc === 3)) return undefined;
      const extension = [STORE, Extension.Zero, Extension.Signed64, Extension.Signed32][opc] ?? STORE;
      return {
        variant: [Rn === 31 ? 1 : 0, size, extension],
        d: opc === 0 ? xSource(Rt) : xDest(Rt),
        n: xOrSp(Rn),
        imm: BigInt.asUintN(64, BigInt(signExtend(imm9, 9))),
      };
    },
    (code, sp, scale = 3, extension = STORE) => {
      const { at } = address(code, Mode.Offset, sp);
      const bytes = 1 << scale;
      if (extension !== STORE)
        return code.setX('d', loadValue(code.readableAligned(at, bytes, true), scale, extension));
      code.writableAligned(
        at,
        bytes,
        (place) => {
          storeValue(code, place, scale, 'd');
        },
        true,
      );
    },
  ),
];
