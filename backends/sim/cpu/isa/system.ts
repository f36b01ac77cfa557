import { insn, xDest, xSource, type Definition } from './definition.ts';
import { Exit, type Lowering } from './lowering.ts';
import { Operation } from './operation.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { ContextState, LANDING_PAD, LEAVES, ZVA_BYTES } from '../layout.ts';
import { Pstate } from '../pe/pstate.ts';
import { encodeSysreg, privilegedSysregSlot, slotOf, sysreg, userSysregSlot } from '../pe/system-registers.ts';

const SCTLR_EL1 = slotOf('SCTLR_EL1');
/** SCTLR_EL1.DZE: EL0 may execute DC ZVA. */
const SCTLR_DZE = 1 << 14;

function toRunLoop(code: Lowering): void {
  code.exit(Exit.System);
}

/**
 * Runs `body` if some of these bits of PSTATE are set, and `LEAVES.Moves` is not if it is among them; otherwise the run
 * loop executes the instruction.
 */
function wherePstate(code: Lowering, bits: number, body: () => void): void {
  const pstate = i32.load(i32.const(0), ContextState.Pstate);
  // `LEAVES.Moves` is the sign.
  code.if(i32.gtS(i32.and(pstate, i32.const(bits)), i32.const(0)), body, () => {
    code.exit(Exit.System);
  });
}

function movesSysreg(encoding: number, write: boolean): { readonly slot: number; readonly pstate: number } | undefined {
  // The place is that of SP_EL0 only while another stack pointer is selected, which is so at EL1 and above only.
  if (encoding === sysreg.SP_EL0) return { slot: ContextState.SpEl0, pstate: Pstate.SpSel };
  const slot = privilegedSysregSlot(encoding, write);
  return slot === undefined ? undefined : { slot, pstate: Pstate.El | LEAVES.Moves };
}

/**
 * Exception generation, hints, barriers and system instructions (Arm ARM, C4.1.94). The run loop executes those that
 * involve more than registers, as the operation that the row passes to it; the few system registers that EL0 may use
 * are plain moves.
 */
export const system: readonly Definition[] = [
  insn(
    'SVC, HVC, SMC',
    '11010100 000 imm16:16 000 LL:2',
    ({ imm16, LL }) => {
      const operation = [undefined, Operation.Svc, Operation.Hvc, Operation.Smc][LL];
      return operation === undefined ? undefined : { small: operation, low: imm16 };
    },
    toRunLoop,
    'maybe',
  ),
  insn('BRK', '11010100 001 imm16:16 00000', ({ imm16 }) => ({ small: Operation.Brk, low: imm16 }), toRunLoop, 'maybe'),
  insn('HLT', '11010100 010 imm16:16 00000', ({ imm16 }) => ({ small: Operation.Hlt, low: imm16 }), toRunLoop, 'maybe'),
  insn('ERET', '1101011 0100 11111 000000 11111 00000', () => ({ small: Operation.Eret }), toRunLoop, 'never'),
  insn(
    'WFE, WFI',
    '1101010100 0 00 011 0010 0000 01 op 11111',
    ({ op }) => ({ small: op === 0 ? Operation.Wfe : Operation.Wfi }),
    toRunLoop,
  ),
  insn(
    'WFET, WFIT',
    '1101010100 0 00 011 0001 0000 00 op Rd:5',
    ({ op, Rd }) => ({ small: op === 0 ? Operation.Wfet : Operation.Wfit, n: xSource(Rd), low: Rd }),
    toRunLoop,
  ),
  insn(
    'SEV, SEVL',
    '1101010100 0 00 011 0010 0000 10 op 11111',
    ({ op }) => ({ small: op === 0 ? Operation.Sev : Operation.Sevl }),
    toRunLoop,
  ),
  insn(
    'BTI',
    '1101010100 0 00 011 0010 0100 jumps calls 0 11111',
    ({ jumps, calls }) => {
      // A branch of type 1 may go to either kind.
      const either = jumps | calls;
      return { d: LANDING_PAD | (either << 1) | (calls << 2) | (jumps << 3) };
    },
    () => undefined,
  ),
  insn(
    'HINT',
    '1101010100 0 00 011 0010 CRm:4 op2:3 11111',
    // Hints that are not implemented are NOPs; WFE, WFI, SEV and SEVL have rows of their own, before this one.
    () => ({}),
    () => undefined,
  ),
  insn(
    'CLREX, DSB, DMB, ISB, SB',
    '1101010100 0 00 011 0011 CRm:4 op2:3 11111',
    ({ op2 }) => (op2 === 2 || op2 >= 4 ? { variant: [op2 === 2 ? 1 : 0] } : undefined),
    (code, clrex) => {
      // Accesses happen in program order and context changes at once, so only CLREX has an effect.
      if (clrex === 1) code.emit(i64.store(i32.const(0), i64.const(-1n), ContextState.ExclusiveAddress));
    },
  ),
  insn(
    'MRS (registers of EL0)',
    '1101010100 1 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    ({ o0, op1, CRn, CRm, op2, Rt }) => {
      const encoding = encodeSysreg(2 + o0, op1, CRn, CRm, op2);
      if (encoding === sysreg.NZCV) return { variant: [1], d: xDest(Rt) };
      const slot = userSysregSlot(encoding, false);
      return slot === undefined ? undefined : { variant: [0], d: xDest(Rt), n: slot };
    },
    (code, nzcv) => {
      if (nzcv === 1) code.setW('d', code.nzcv());
      else code.setX('d', code.x('n'));
    },
  ),
  insn(
    'MSR (registers of EL0)',
    '1101010100 0 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    ({ o0, op1, CRn, CRm, op2, Rt }) => {
      const encoding = encodeSysreg(2 + o0, op1, CRn, CRm, op2);
      if (encoding === sysreg.NZCV) return { variant: [1], n: xSource(Rt) };
      const slot = userSysregSlot(encoding, true);
      return slot === undefined ? undefined : { variant: [0], d: slot, n: xSource(Rt) };
    },
    (code, nzcv) => {
      if (nzcv === 1) code.setNzcv(code.w('n'));
      else code.setX('d', code.x('n'));
    },
  ),
  insn(
    'MRS (registers of EL1)',
    '1101010100 1 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    ({ o0, op1, CRn, CRm, op2, Rt }) => {
      const encoding = encodeSysreg(2 + o0, op1, CRn, CRm, op2);
      const moved = movesSysreg(encoding, false);
      if (moved === undefined) return undefined;
      const { slot, pstate } = moved;
      return { variant: [pstate], small: Operation.ReadRegister, d: xDest(Rt), n: slot, low: encoding, high: Rt };
    },
    (code, pstate = 0) => {
      wherePstate(code, pstate, () => code.setX('d', code.x('n')));
    },
  ),
  insn(
    'MSR (registers of EL1)',
    '1101010100 0 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    ({ o0, op1, CRn, CRm, op2, Rt }) => {
      const encoding = encodeSysreg(2 + o0, op1, CRn, CRm, op2);
      const moved = movesSysreg(encoding, true);
      if (moved === undefined) return undefined;
      const { slot, pstate } = moved;
      return { variant: [pstate], small: Operation.WriteRegister, d: slot, n: xSource(Rt), low: encoding, high: Rt };
    },
    (code, pstate = 0) => {
      wherePstate(code, pstate, () => code.setX('d', code.x('n')));
    },
  ),
  insn(
    'MRS DAIF',
    '1101010100 1 1 1 011 0100 0010 001 Rt:5',
    ({ Rt }) => ({ small: Operation.ReadRegister, d: xDest(Rt), low: sysreg.DAIF, high: Rt }),
    (code) => {
      wherePstate(code, Pstate.El, () => {
        code.setW('d', i32.and(i32.load(i32.const(0), ContextState.Pstate), i32.const(Pstate.Daif)));
      });
    },
  ),
  insn(
    'MSR DAIFSet',
    '1101010100 0 00 011 0100 CRm:4 110 11111',
    ({ CRm }) => ({ small: Operation.WritePstate, low: encodeSysreg(0, 3, 4, CRm, 6), high: 31 }),
    (code) => {
      // What is masked in addition cannot be taken now.
      wherePstate(code, Pstate.El, () => {
        const masks = i32.shl(i32.and(code.low(), i32.const(0x78)), i32.const(3));
        const pstate = i32.load(i32.const(0), ContextState.Pstate);
        code.emit(i32.store(i32.const(0), i32.or(pstate, masks), ContextState.Pstate));
      });
    },
  ),
  insn(
    'MRS, MSR (register)',
    '1101010100 L 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    ({ L, o0, op1, CRn, CRm, op2, Rt }) => {
      const operands = { low: encodeSysreg(2 + o0, op1, CRn, CRm, op2), high: Rt };
      return L === 1
        ? { small: Operation.ReadRegister, d: xDest(Rt), ...operands }
        : { small: Operation.WriteRegister, n: xSource(Rt), ...operands };
    },
    toRunLoop,
  ),
  insn(
    'DC ZVA',
    '1101010100 0 01 011 0111 0100 001 Rt:5',
    ({ Rt }) => ({ small: Operation.System, n: xSource(Rt), low: encodeSysreg(1, 3, 7, 4, 1), high: Rt }),
    (code) => {
      const pstate = i32.load(i32.const(0), ContextState.Pstate);
      const sctlr = i32.load(i32.const(0), SCTLR_EL1);
      const permitted = i32.or(i32.and(pstate, i32.const(Pstate.El)), i32.and(sctlr, i32.const(SCTLR_DZE)));
      const zero = (): void => {
        const block = code.let(i32.and(code.zeroable(code.x('n')), i32.const(-ZVA_BYTES)));
        for (let at = 0; at < ZVA_BYTES; at += 8) code.emit(i64.store(block, i64.const(0n), at));
      };
      const stays = i32.eqz(i32.and(pstate, i32.const(LEAVES.Zeroes)));
      code.if(i32.and(i32.ne(permitted, i32.const(0)), stays), zero, () => {
        code.exit(Exit.System);
      });
    },
  ),
  insn(
    'SYS',
    '1101010100 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    ({ op1, CRn, CRm, op2, Rt }) => ({
      small: Operation.System,
      n: xSource(Rt),
      low: encodeSysreg(1, op1, CRn, CRm, op2),
      high: Rt,
    }),
    toRunLoop,
  ),
  insn(
    'MSR (immediate)',
    '1101010100 0 00 op1:3 0100 CRm:4 op2:3 11111',
    ({ op1, CRm, op2 }) => ({ small: Operation.WritePstate, low: encodeSysreg(0, op1, 4, CRm, op2), high: 31 }),
    toRunLoop,
  ),
  insn('UDF', '0000000000000000 imm16:16', () => undefined, toRunLoop),
];
