import { type CpuContext, ExceptionClass, type SyncExit } from '../../cpu/index.ts';
import { GPR_COUNT } from '../abi/plane-run.ts';
import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import { writeNumber } from '../abi/register-file.ts';
import {
  AbortTarget,
  dataAbortTarget,
  exitDataAbort,
  exitInstructionAbort,
  injectExternalAbort,
  injectUndefined,
  instructionAbortTarget,
} from '../rec/aborts.ts';
import { exitRec } from '../rec/rec-exit.ts';
import type { Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { serveSmc } from '../rsi/rsi.ts';
import { SmcOutcome } from '../rsi/smc-outcome.ts';
import { exitWfx, faultAddress } from './auxiliary-plane.ts';

const INSTRUCTION = 4;

/** ISS of a trapped MSR or MRS: direction, Rt, and the register as op0, op2, op1, CRn, CRm. */
const ISS_READ = 1;
const ISS_SYSREG = 0x3f_fc1e;
/** ICC_SGI1R_EL1, ICC_ASGI1R_EL1, ICC_SGI0R_EL1 and ICC_DIR_EL1, which the host emulates. */
const HOST_SYSREGS: ReadonlySet<number> = new Set([
  issSysreg(3, 0, 12, 11, 5),
  issSysreg(3, 0, 12, 11, 6),
  issSysreg(3, 0, 12, 11, 7),
  issSysreg(3, 0, 12, 11, 1),
]);

function issSysreg(op0: number, op1: number, crn: number, crm: number, op2: number): number {
  return (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (crm << 1);
}

/** Serves a synchronous exception of a plane 0 that is guest code. @returns true for a REC exit */
export function servePlane0(state: RmmState, rec: Rec, context: CpuContext, exit: SyncExit): boolean {
  switch (exit.ec) {
    case ExceptionClass.Smc64: {
      const outcome = serveSmc(state, rec, rec.registers);
      if (outcome === SmcOutcome.Resume || outcome === SmcOutcome.Exit) context.advancePc(INSTRUCTION);
      return outcome === SmcOutcome.Exit || outcome === SmcOutcome.Retry;
    }
    case ExceptionClass.Hvc64:
      // A realm has no hypervisor that it may call: HVC is undefined, and its preferred return is HVC itself then.
      context.pc = BigInt.asUintN(64, context.pc - BigInt(INSTRUCTION));
      injectUndefined(context);
      return false;
    case ExceptionClass.Wfx:
      return exitWfx(state, rec, context, exit.esr);
    case ExceptionClass.DataAbortLower:
      return serveDataAbort(state, rec, context, exit);
    case ExceptionClass.InstructionAbortLower:
      return serveInstructionAbort(state, rec, context, exit);
    case ExceptionClass.Sysreg:
      return serveSysreg(state, rec, context, exit.esr);
    default:
      exitRec(state, rec, RecExitReason.Sync);
      return true;
  }
}

function serveDataAbort(state: RmmState, rec: Rec, context: CpuContext, exit: SyncExit): boolean {
  const far = faultAddress(state, rec);
  const target = dataAbortTarget(rec.realm, 0, exit.ipa, exit.permission);
  if (target === AbortTarget.None) return false;
  if (target === AbortTarget.Host || target === AbortTarget.HostUnprotected) {
    exitDataAbort(state, rec, context, exit.esr, far, exit.ipa, target === AbortTarget.HostUnprotected);
    return true;
  }
  injectExternalAbort(context, exit.esr, far);
  return false;
}

function serveInstructionAbort(state: RmmState, rec: Rec, context: CpuContext, exit: SyncExit): boolean {
  const target = instructionAbortTarget(rec.realm, 0, exit.ipa, exit.permission);
  if (target === AbortTarget.None) return false;
  if (target === AbortTarget.Host) {
    exitInstructionAbort(state, rec, exit.esr, exit.ipa);
    return true;
  }
  injectExternalAbort(context, exit.esr, faultAddress(state, rec));
  return false;
}

/** Interrupt generation is emulated by the host; every other trapped register reads as zero and ignores writes. */
function serveSysreg(state: RmmState, rec: Rec, context: CpuContext, esr: number): boolean {
  const register = (esr >>> 5) & 0x1f;
  const isRead = (esr & ISS_READ) !== 0;
  context.advancePc(INSTRUCTION);
  if (!isRead && HOST_SYSREGS.has(esr & ISS_SYSREG)) {
    const run = exitRec(state, rec, RecExitReason.Sync);
    writeNumber(state.view, run + RecExit.esr, esr >>> 0);
    if (register < GPR_COUNT) state.view.setBigUint64(run + RecExit.gprs, context.x(register), true);
    return true;
  }
  if (isRead && register < GPR_COUNT) context.setX(register, 0n);
  return false;
}
