import { insn, vRegister, type Definition } from '../definition.ts';
import type { Lowering } from '../lowering.ts';
import { v128, type V128 } from '../../wasm/expr.ts';
import { integerShape } from '../../wasm/lane-shapes.ts';
import { keptByQ, laneBytes, pick, write, type Kept } from './vector.ts';

/** Lanes of a permutation; the lanes of Vm are numbered after those of Vn, which are the ones in `kept` bytes. */
const permutations: Readonly<Record<number, (lane: number, lanes: number) => number>> = {
  1: (lane) => lane * 2,
  2: (lane, lanes) => (lane & ~1) + (lane & 1) * lanes,
  3: (lane, lanes) => (lane >> 1) + (lane & 1) * lanes,
  5: (lane) => lane * 2 + 1,
  6: (lane, lanes) => (lane | 1) + (lane & 1) * lanes,
  7: (lane, lanes) => (lane >> 1) + lanes / 2 + (lane & 1) * lanes,
};

/** Translates byte numbers in which Vm follows the `kept` bytes of Vn to those of two whole registers. */
function inRegisters(bytes: readonly number[], kept: Kept): number[] {
  return bytes.map((at) => (at < kept ? at : at - kept + 16));
}

const TABLE_BYTES = 16;

function tableLookup(code: Lowering, registers: number, wraps: number, extend: boolean, indices: V128): V128 {
  const shape = integerShape(0);
  let result: V128 | undefined;
  for (let k = 0; k < registers; k += 1) {
    const table = k < wraps ? code.q('n', k) : code.q('a', k - wraps);
    // Indices above the table give zero; those below it wrap to large ones.
    const local = k === 0 ? indices : shape.sub(indices, shape.all(BigInt(k * TABLE_BYTES)));
    const found = v128.swizzle(table, local);
    result = result === undefined ? found : v128.or(result, found);
  }
  const looked = result ?? indices;
  if (!extend) return looked;
  return v128.bitselect(looked, code.q('d'), shape.gtU(shape.all(BigInt(registers * TABLE_BYTES)), indices));
}

/** Advanced SIMD table lookup, permute and extract (Arm ARM, C4.1.96). */
export const permute: readonly Definition[] = [
  insn(
    'UZP1, TRN1, ZIP1, UZP2, TRN2, ZIP2',
    '0 Q 001110 size:2 0 Rm:5 0 opcode:3 10 Rn:5 Rd:5',
    ({ Q, size, Rm, opcode, Rn, Rd }) => {
      if ((opcode & 3) === 0 || (size === 3 && Q === 0)) return undefined;
      return { variant: [opcode, size, keptByQ(Q)], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, opcode = 1, size = 0, kept = 16) => {
      const lanes = kept >> size;
      const from = permutations[opcode] ?? ((lane: number) => lane);
      const chosen = Array.from({ length: 16 >> size }, (_, lane) => from(lane % lanes, lanes));
      const bytes = inRegisters(laneBytes(1 << size, chosen), kept);
      write(code, pick(code, [code.q('n'), code.q('m')], bytes), kept);
    },
  ),
  insn(
    'EXT',
    '0 Q 101110 00 0 Rm:5 0 imm4:4 0 Rn:5 Rd:5',
    ({ Q, Rm, imm4, Rn, Rd }) => {
      if (Q === 0 && imm4 > 7) return undefined;
      return { variant: [imm4, keptByQ(Q)], d: vRegister(Rd), n: vRegister(Rn), m: vRegister(Rm) };
    },
    (code, from = 0, kept = 16) => {
      const bytes = Array.from({ length: 16 }, (_, at) => (at % kept) + from);
      write(code, pick(code, [code.q('n'), code.q('m')], inRegisters(bytes, kept)), kept);
    },
  ),
  insn(
    'TBL, TBX',
    '0 Q 001110 00 0 Rm:5 0 len:2 op 00 Rn:5 Rd:5',
    ({ Q, Rm, len, op, Rn, Rd }) => {
      const registers = len + 1;
      const wraps = Math.min(registers, 32 - Rn);
      return {
        variant: [registers, wraps, op, keptByQ(Q)],
        d: vRegister(Rd),
        n: vRegister(Rn),
        m: vRegister(Rm),
        a: vRegister(0),
      };
    },
    (code, registers = 1, wraps = 1, extend = 0, kept = 16) => {
      write(code, tableLookup(code, registers, wraps, extend === 1, code.let(code.q('m'))), kept);
    },
  ),
];
