import { type CpuContext, ExceptionClass, type SyncExit } from '../../cpu/index.ts';
import { PlaneEnterFlag, PlaneExitReason } from '../abi/plane-run.ts';
import { RecExitReason } from '../abi/rec-run.ts';
import { Rsi } from '../abi/rsi-fids.ts';
import { functionId } from '../abi/smccc.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import { SmcOutcome } from '../rec/smc-outcome.ts';
import { hostCall } from '../rsi/host-call.ts';
import { exitPlane, PcAt } from './plane-exit.ts';
import { serveDataAbort, serveInstructionAbort } from './stage2-abort.ts';
import { exitWfx, isWfe } from './wfx.ts';

const INSTRUCTION = 4;

/** Serves a synchronous exception of an auxiliary plane. @returns true for a REC exit */
export function serveAuxiliaryPlane(entry: RecEntry, context: CpuContext, exit: SyncExit): boolean {
  const trapped = (flag: number) => (entry.rec.planeFlags & flag) !== 0;
  switch (exit.ec) {
    case ExceptionClass.DataAbortLower:
      return serveDataAbort(entry, context, exit);
    case ExceptionClass.InstructionAbortLower:
      return serveInstructionAbort(entry, context, exit);
    case ExceptionClass.Smc64:
      return serveSmcOfPlane(entry, context);
    case ExceptionClass.Hvc64:
      return exitPlane(entry, PlaneExitReason.Sync, PcAt.Behind);
    case ExceptionClass.SimdFp:
      return trapped(PlaneEnterFlag.trapSimd) && exitPlane(entry, PlaneExitReason.Sync);
    case ExceptionClass.Wfx:
      if (trapped(isWfe(exit.esr) ? PlaneEnterFlag.trapWfe : PlaneEnterFlag.trapWfi)) {
        return exitPlane(entry, PlaneExitReason.Sync, PcAt.Skip);
      }
      if (entry.state.asTfRmm) {
        // TF-RMM applies the host's traps to plane 0 only.
        context.advancePc(INSTRUCTION);
        return false;
      }
      return exitWfx(entry, context, exit.esr);
    case ExceptionClass.Sysreg:
      return exitPlane(entry, PlaneExitReason.Sync);
    default:
      entry.exit(RecExitReason.Sync);
      return true;
  }
}

/** RSI_HOST_CALL goes to the host unless plane 0 traps it; every other SMC goes to plane 0. */
function serveSmcOfPlane(entry: RecEntry, context: CpuContext): boolean {
  const { registers } = entry;
  // TF-RMM inverts the flag.
  const trapped = ((entry.rec.planeFlags & PlaneEnterFlag.trapHc) !== 0) !== entry.state.asTfRmm;
  if (trapped || functionId(registers.low(0)) !== Rsi.HOST_CALL) {
    return exitPlane(entry, PlaneExitReason.Sync, PcAt.Skip);
  }
  const outcome = hostCall(entry, registers);
  if (outcome !== SmcOutcome.Retry) context.advancePc(INSTRUCTION);
  return outcome !== SmcOutcome.Resume;
}
