import { type CpuContext, ExceptionClass, type SyncExit } from '../../cpu/index.ts';
import { GPR_COUNT } from '../abi/plane-run.ts';
import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import { injectUndefined } from '../rec/aborts.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import { SmcOutcome } from '../rec/smc-outcome.ts';
import { serveSmc } from '../rsi/rsi.ts';
import { serveDataAbort, serveInstructionAbort } from './stage2-abort.ts';
import { exitWfx } from './wfx.ts';

const INSTRUCTION = 4;

/** ISS of a trapped MSR or MRS: direction, Rt, and the encoding as op0, op2, op1, CRn, CRm. */
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
export function servePlane0(entry: RecEntry, context: CpuContext, exit: SyncExit): boolean {
  switch (exit.ec) {
    case ExceptionClass.Smc64: {
      const outcome = serveSmc(entry);
      if (outcome === SmcOutcome.Resume || outcome === SmcOutcome.Exit) context.advancePc(INSTRUCTION);
      return outcome === SmcOutcome.Exit || outcome === SmcOutcome.Retry;
    }
    case ExceptionClass.Hvc64:
      // A realm has no hypervisor to call, so HVC is undefined; the preferred return address is then the HVC itself.
      context.pc = BigInt.asUintN(64, context.pc - BigInt(INSTRUCTION));
      injectUndefined(context);
      return false;
    case ExceptionClass.Wfx:
      return exitWfx(entry, context, exit.esr);
    case ExceptionClass.DataAbortLower:
      return serveDataAbort(entry, context, exit);
    case ExceptionClass.InstructionAbortLower:
      return serveInstructionAbort(entry, context, exit);
    case ExceptionClass.Sysreg:
      return serveSysreg(entry, context, exit.esr);
    default:
      entry.exit(RecExitReason.Sync);
      return true;
  }
}

/** The host emulates writes that generate or deactivate interrupts; every other trapped register is RAZ/WI. */
function serveSysreg(entry: RecEntry, context: CpuContext, esr: number): boolean {
  const register = (esr >>> 5) & 0x1f;
  const isRead = (esr & ISS_READ) !== 0;
  context.advancePc(INSTRUCTION);
  if (!isRead && HOST_SYSREGS.has(esr & ISS_SYSREG)) {
    entry.exit(RecExitReason.Sync);
    entry.report(RecExit.esr, esr >>> 0);
    if (register < GPR_COUNT) entry.view.setBigUint64(entry.run + RecExit.gprs, context.x(register), true);
    return true;
  }
  if (isRead && register < GPR_COUNT) context.setX(register, 0n);
  return false;
}
