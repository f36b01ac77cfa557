import { addSettingFlags, atWidth, logicFlags, subSettingFlags } from './arithmetic.ts';
import { insn, xDest, xOrSp, xSource, type Definition } from './definition.ts';
import { decodeBitMasks } from './bitmask.ts';
import { signExtend } from './encoding.ts';
import { i32, i64 } from '../wasm/expr.ts';

/** Data processing with an immediate (Arm ARM, C4.1.93). */
export const dpImmediate: readonly Definition[] = [
  insn(
    'ADR, ADRP',
    'op immlo:2 10000 immhi:19 Rd:5',
    ({ op, immlo, immhi, Rd }, pc) => {
      const offset = signExtend((immhi << 2) | immlo, 21);
      return { d: xDest(Rd), imm: BigInt(op === 1 ? pc - (pc & 0xfff) + offset * 4096 : pc + offset) };
    },
    (code) => {
      code.setX('d', code.imm());
    },
  ),
  insn(
    'ADD, SUB (immediate)',
    'sf op 0 100010 sh imm12:12 Rn:5 Rd:5',
    ({ sf, op, sh, imm12, Rn, Rd }) => ({
      variant: [sf, op],
      d: xOrSp(Rd),
      n: xOrSp(Rn),
      imm: BigInt(sh === 1 ? imm12 * 4096 : imm12),
    }),
    (code, sf, op) => {
      atWidth(sf, (w) => {
        const result = op === 1 ? w.sub(w.read(code, 'n'), w.imm(code)) : w.add(w.read(code, 'n'), w.imm(code));
        w.write(code, 'd', result);
      });
    },
  ),
  insn(
    'ADDS, SUBS (immediate)',
    'sf op 1 100010 sh imm12:12 Rn:5 Rd:5',
    ({ sf, op, sh, imm12, Rn, Rd }) => ({
      variant: [sf, op],
      d: xDest(Rd),
      n: xOrSp(Rn),
      imm: BigInt(sh === 1 ? imm12 * 4096 : imm12),
    }),
    (code, sf, op) => {
      atWidth(sf, (w) => {
        const make = op === 1 ? subSettingFlags : addSettingFlags;
        w.write(code, 'd', make(w, code, w.read(code, 'n'), w.imm(code)));
      });
    },
  ),
  insn(
    'AND, ORR, EOR, ANDS (immediate)',
    'sf opc:2 100100 N immr:6 imms:6 Rn:5 Rd:5',
    ({ sf, opc, N, immr, imms, Rn, Rd }) => {
      const imm = decodeBitMasks(sf, N, imms, immr);
      if (imm === undefined) return undefined;
      return { variant: [sf, opc], d: opc === 3 ? xDest(Rd) : xOrSp(Rd), n: xSource(Rn), imm };
    },
    (code, sf, opc) => {
      atWidth(sf, (w) => {
        const operation = [w.and, w.or, w.xor, w.and][opc] ?? w.and;
        const result = operation(w.read(code, 'n'), w.imm(code));
        w.write(code, 'd', opc === 3 ? logicFlags(w, code, result) : result);
      });
    },
  ),
  insn(
    'MOVN, MOVZ',
    'sf op 0 100101 hw:2 imm16:16 Rd:5',
    ({ sf, op, hw, imm16, Rd }) => {
      if (sf === 0 && hw > 1) return undefined;
      const value = BigInt(imm16) << BigInt(hw * 16);
      return { d: xDest(Rd), imm: BigInt.asUintN(sf === 1 ? 64 : 32, op === 0 ? ~value : value) };
    },
    (code) => {
      code.setX('d', code.imm());
    },
  ),
  insn(
    'MOVK',
    'sf 11 100101 hw:2 imm16:16 Rd:5',
    ({ sf, hw, imm16, Rd }) => {
      if (sf === 0 && hw > 1) return undefined;
      return { variant: [sf, hw], n: xSource(Rd), d: xDest(Rd), imm: BigInt(imm16) << BigInt(hw * 16) };
    },
    (code, sf, hw) => {
      const kept = BigInt.asUintN(sf === 1 ? 64 : 32, ~(0xffffn << BigInt(hw * 16)));
      code.setX('d', i64.or(i64.and(code.x('n'), i64.const(kept)), code.imm()));
    },
  ),
  insn(
    'SBFM, BFM, UBFM',
    'sf opc:2 100110 N immr:6 imms:6 Rn:5 Rd:5',
    ({ sf, opc, N, immr, imms, Rn, Rd }) => {
      if (opc === 3 || N !== sf || (sf === 0 && (immr > 31 || imms > 31))) return undefined;
      // The field is shifted to the top, then down to its place: two shifts cover every form.
      const top = sf === 1 ? 63 : 31;
      const low = top - imms;
      const high = imms >= immr ? low + immr : immr - imms - 1;
      return { variant: [sf, opc], d: xDest(Rd), n: xSource(Rn), m: xSource(Rd), low, high };
    },
    (code, sf, opc) => {
      atWidth(sf, (w) => {
        const left = w.fromI32(code.low());
        const right = w.fromI32(code.high());
        if (opc === 0) return w.write(code, 'd', w.shrS(w.shl(w.read(code, 'n'), left), right));
        const field = w.shrU(w.shl(w.read(code, 'n'), left), right);
        if (opc === 2) return w.write(code, 'd', field);
        const mask = w.let(code, w.shrU(w.shl(w.const(-1n), left), right));
        const kept = w.and(w.read(code, 'm'), w.xor(mask, w.const(-1n)));
        w.write(code, 'd', w.or(kept, field));
      });
    },
  ),
  insn(
    'EXTR',
    'sf 00 100111 N 0 Rm:5 imms:6 Rn:5 Rd:5',
    ({ sf, N, Rm, imms, Rn, Rd }) => {
      if (N !== sf || (sf === 0 && imms > 31)) return undefined;
      return { variant: [sf, imms === 0 ? 1 : 0], d: xDest(Rd), n: xSource(Rn), m: xSource(Rm), low: imms };
    },
    (code, sf, whole) => {
      atWidth(sf, (w) => {
        if (whole === 1) return w.write(code, 'd', w.read(code, 'm'));
        const lsb = code.let(code.low());
        const right = w.shrU(w.read(code, 'm'), w.fromI32(lsb));
        const left = w.shl(w.read(code, 'n'), w.fromI32(i32.sub(i32.const(w.bits), lsb)));
        w.write(code, 'd', w.or(left, right));
      });
    },
  ),
];
