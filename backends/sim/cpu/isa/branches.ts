import { atWidth } from './arithmetic.ts';
import { insn, xSource, type Definition } from './definition.ts';
import { signExtend } from './encoding.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { ContextState } from '../layout.ts';
import type { BranchType } from './lowering.ts';

function target(pc: number, offset: number, bits: number): number {
  return pc + signExtend(offset, bits) * 4;
}

/** X30, which BL and BLR write although no field encodes it. */
const LINK_REGISTER = ContextState.X + 30 * 8;

/** PSTATE.BTYPE after a branch with BR: X16 and X17 are what a veneer uses to get to a function. */
export function typeOfJump(Rn: number): BranchType {
  return Rn === 16 || Rn === 17 ? 1 : 3;
}

/** PSTATE.BTYPE after a branch with BLR. */
export const CALL_TYPE: BranchType = 2;

/** Branches (Arm ARM, C4.1.94). */
export const branches: readonly Definition[] = [
  insn(
    'B',
    '000101 imm26:26',
    ({ imm26 }, pc) => ({ target: target(pc, imm26, 26) }),
    (code) => {
      code.branch();
    },
    'never',
  ),
  insn(
    'BL',
    '100101 imm26:26',
    ({ imm26 }, pc) => ({
      d: LINK_REGISTER,
      target: target(pc, imm26, 26),
      link: pc + 4,
    }),
    (code) => {
      code.setX('d', code.link());
      code.branch();
    },
    'maybe',
  ),
  insn(
    'B.cond',
    '0101010 0 imm19:19 0 cond:4',
    ({ imm19, cond }, pc) => ({ variant: [cond], target: target(pc, imm19, 19) }),
    (code, cond) => {
      code.if(code.condition(cond), () => {
        code.branch();
      });
    },
    'maybe',
  ),
  insn(
    'CBZ, CBNZ',
    'sf 011010 op imm19:19 Rt:5',
    ({ sf, op, imm19, Rt }, pc) => ({ variant: [sf, op], n: xSource(Rt), target: target(pc, imm19, 19) }),
    (code, sf, nonZero) => {
      atWidth(sf, (w) => {
        const zero = w.eqz(w.read(code, 'n'));
        code.if(nonZero === 1 ? i32.eqz(zero) : zero, () => {
          code.branch();
        });
      });
    },
    'maybe',
  ),
  insn(
    'TBZ, TBNZ',
    'b5 011011 op b40:5 imm14:14 Rt:5',
    ({ b5, op, b40, imm14, Rt }, pc) => ({
      variant: [op],
      n: xSource(Rt),
      small: b5 * 32 + b40,
      target: target(pc, imm14, 14),
    }),
    (code, nonZero) => {
      const bit = i32.wrap(i64.and(i64.shrU(code.x('n'), i64.extendI32U(code.small())), i64.const(1n)));
      code.if(nonZero === 1 ? bit : i32.eqz(bit), () => {
        code.branch();
      });
    },
    'maybe',
  ),
  insn(
    'BR',
    '1101011 0000 11111 000000 Rn:5 00000',
    ({ Rn }) => ({ variant: [typeOfJump(Rn)], n: xSource(Rn) }),
    (code, type) => {
      code.branchTo(code.x('n'), type === 1 ? 1 : 3);
    },
    'never',
  ),
  insn(
    'BLR',
    '1101011 0001 11111 000000 Rn:5 00000',
    ({ Rn }, pc) => ({ n: xSource(Rn), d: LINK_REGISTER, imm: BigInt(pc + 4) }),
    (code) => {
      // BLR X30 branches to the old value.
      const address = code.let(code.x('n'));
      code.setX('d', code.imm());
      code.branchTo(address, CALL_TYPE);
    },
    'maybe',
  ),
  insn(
    'RET',
    '1101011 0010 11111 000000 Rn:5 00000',
    ({ Rn }) => ({ n: xSource(Rn) }),
    (code) => {
      code.branchTo(code.x('n'));
    },
    'never',
  ),
];
