import { type CpuContext, ExceptionClass, type SyncExit } from '../../cpu/index.ts';
import { PlaneEnterFlag, PlaneExitReason } from '../abi/plane-run.ts';
import { RecEnterFlag, RecExit, RecExitReason } from '../abi/rec-run.ts';
import { RegisterFile, writeNumber } from '../abi/register-file.ts';
import { Rsi } from '../abi/rsi-fids.ts';
import { functionId } from '../abi/smccc.ts';
import {
  AbortTarget,
  dataAbortTarget,
  Esr,
  exitDataAbort,
  exitInstructionAbort,
  injectExternalAbort,
  instructionAbortTarget,
} from '../rec/aborts.ts';
import { exitRec } from '../rec/rec-exit.ts';
import type { Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { hostCall } from '../rsi/host-call.ts';
import { SmcOutcome } from '../rsi/smc-outcome.ts';
import { exitPlane, PcAt } from './plane-exit.ts';

const INSTRUCTION = 4;
const WFX_TI = 1;

/** Serves a synchronous exception of an auxiliary plane. @returns true for a REC exit */
export function serveAuxiliaryPlane(state: RmmState, rec: Rec, context: CpuContext, exit: SyncExit): boolean {
  const trapped = (flag: number) => (rec.planeFlags & flag) !== 0;
  switch (exit.ec) {
    case ExceptionClass.DataAbortLower:
      return serveDataAbort(state, rec, context, exit);
    case ExceptionClass.InstructionAbortLower:
      return serveInstructionAbort(state, rec, context, exit);
    case ExceptionClass.Smc64:
      return serveSmc(state, rec, context);
    case ExceptionClass.Hvc64:
      return exitPlane(state, rec, PlaneExitReason.Sync, PcAt.Behind);
    case ExceptionClass.SimdFp:
      return trapped(PlaneEnterFlag.trapSimd) && exitPlane(state, rec, PlaneExitReason.Sync);
    case ExceptionClass.Wfx: {
      const isWfe = (exit.esr & WFX_TI) !== 0;
      if (trapped(isWfe ? PlaneEnterFlag.trapWfe : PlaneEnterFlag.trapWfi)) {
        return exitPlane(state, rec, PlaneExitReason.Sync, PcAt.Skip);
      }
      if (state.asTfRmm) {
        // It honours the host's traps for plane 0 only.
        context.advancePc(INSTRUCTION);
        return false;
      }
      return exitWfx(state, rec, context, exit.esr);
    }
    case ExceptionClass.Sysreg:
      return exitPlane(state, rec, PlaneExitReason.Sync);
    default:
      exitRec(state, rec, RecExitReason.Sync);
      return true;
  }
}

/** WFI or WFE that the host wants to hear of. @returns true where it does */
export function exitWfx(state: RmmState, rec: Rec, context: CpuContext, esr: number): boolean {
  context.advancePc(INSTRUCTION);
  const flag = (esr & WFX_TI) !== 0 ? RecEnterFlag.trapWfe : RecEnterFlag.trapWfi;
  if ((rec.enterFlags & flag) === 0) return false;
  const run = exitRec(state, rec, RecExitReason.Sync);
  writeNumber(state.view, run + RecExit.esr, (esr & (Esr.EC | WFX_TI)) >>> 0);
  return true;
}

/** FAR_EL2 of the last exception. */
export function faultAddress(state: RmmState, rec: Rec): bigint {
  return state.view.getBigUint64(rec.vcpu.el2.far, true);
}

function serveDataAbort(state: RmmState, rec: Rec, context: CpuContext, exit: SyncExit): boolean {
  const { esr, ipa } = exit;
  switch (dataAbortTarget(rec.realm, rec.active, ipa, exit.permission)) {
    case AbortTarget.Plane0:
      return exitPlane(state, rec, PlaneExitReason.Sync);
    case AbortTarget.Host:
      exitDataAbort(state, rec, context, esr, faultAddress(state, rec), ipa, false);
      return true;
    case AbortTarget.HostUnprotected:
      exitDataAbort(state, rec, context, esr, faultAddress(state, rec), ipa, true);
      return true;
    case AbortTarget.Inject:
      injectExternalAbort(context, esr, faultAddress(state, rec));
      return false;
    case AbortTarget.None:
      return false;
  }
}

function serveInstructionAbort(state: RmmState, rec: Rec, context: CpuContext, exit: SyncExit): boolean {
  const { esr, ipa } = exit;
  switch (instructionAbortTarget(rec.realm, rec.active, ipa, exit.permission)) {
    case AbortTarget.Plane0:
      return exitPlane(state, rec, PlaneExitReason.Sync);
    case AbortTarget.Host:
    case AbortTarget.HostUnprotected:
      exitInstructionAbort(state, rec, esr, ipa);
      return true;
    case AbortTarget.Inject:
      injectExternalAbort(context, esr, faultAddress(state, rec));
      return false;
    case AbortTarget.None:
      return false;
  }
}

/** The host hears of RSI_HOST_CALL unless plane 0 traps it; every other SMC is plane 0's. */
function serveSmc(state: RmmState, rec: Rec, context: CpuContext): boolean {
  const registers = new RegisterFile(state.view, context.gprsOffset);
  // TF-RMM has the flag inverted.
  const trapped = ((rec.planeFlags & PlaneEnterFlag.trapHc) !== 0) !== state.asTfRmm;
  if (trapped || functionId(registers.low(0)) !== Rsi.HOST_CALL) {
    return exitPlane(state, rec, PlaneExitReason.Sync, PcAt.Skip);
  }
  const outcome = hostCall(state, rec, registers);
  if (outcome !== SmcOutcome.Retry) context.advancePc(INSTRUCTION);
  return outcome !== SmcOutcome.Resume;
}
