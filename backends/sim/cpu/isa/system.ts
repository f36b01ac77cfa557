import { insn, xDest, xSource, type Definition } from './definition.ts';
import { Exit, type Lowering } from './lowering.ts';
import { Operation } from './operation.ts';
import { i32, i64 } from '../wasm/expr.ts';
import { ContextState, LANDING_PAD } from '../layout.ts';
import { encodeSysreg, userSysregSlot, sysreg } from '../pe/system-registers.ts';

function toRunLoop(code: Lowering): void {
  code.exit(Exit.System);
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
