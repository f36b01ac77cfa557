import { type CpuContext, ExceptionClass, type SyncExit } from '../../cpu/types.ts';
import {
  AbortTarget,
  dataAbortTarget,
  Esr,
  exitDataAbort,
  exitInstructionAbort,
  injectExternalAbort,
  instructionAbortTarget,
} from '../rec/aborts.ts';
import { loadGic, storeGic } from '../rec/vgic.ts';
import { hostCall } from '../rsi/host-call.ts';
import { Operand, operandOffset } from '../realm/operand.ts';
import {
  GPR_COUNT,
  PLANE_EXIT_OFFSET,
  PlaneEnter,
  PlaneEnterFlag,
  PlaneExit,
  PlaneExitReason,
} from '../abi/plane-run.ts';
import type { Rec } from '../rec/rec.ts';
import { exitImitatedAbort, exitRec } from '../rec/rec-exit.ts';
import { RecEnterFlag, RecExit, RecExitReason } from '../abi/rec-run.ts';
import { copyDoubleword, RegisterFile, writeNumber } from '../abi/register-file.ts';
import { answer } from '../rsi/rsi-answer.ts';
import { Rsi } from '../abi/rsi-fids.ts';
import { functionId } from '../abi/smccc.ts';
import { SmcOutcome } from '../rsi/smc-outcome.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { RsiStatus } from '../abi/status.ts';
import { storePlaneTimers } from '../rec/timers.ts';

const GPR_BYTES = GPR_COUNT * 8;
const PAGE = 4096;
const INSTRUCTION = 4;
const WFX_TI = 1;

/** PSTATE.M of the only states that a plane may be entered in: EL0t, EL1t, EL1h. */
function isEnterable(pstate: number): boolean {
  const mode = pstate & 0x1f;
  return mode === 0 || mode === 4 || mode === 5;
}

/** RSI_PLANE_ENTER (RMM specification 1.1, B5.3). */
export function enterPlane(state: RmmState, rec: Rec, registers: RegisterFile): SmcOutcome {
  const { realm } = rec;
  const index = registers.get(1);
  const runIpa = registers.get(2);
  const valid = index >= 1 && index < realm.planeCount && runIpa >= 0 && runIpa < realm.rtt.parTop;
  if (!valid || runIpa % PAGE !== 0) return answer(registers, RsiStatus.ErrorInput);
  const page = operandOffset(realm, runIpa);
  if (page === Operand.Empty) return answer(registers, RsiStatus.ErrorInput);
  if (page === Operand.Unmapped) {
    exitImitatedAbort(state, rec, runIpa, realm.rtt.level);
    return SmcOutcome.Retry;
  }
  const { u8, view } = state.memory.linear;
  const pstate = view.getUint32(page + PlaneEnter.pstate, true);
  if (!isEnterable(pstate)) return answer(registers, RsiStatus.ErrorInput);

  const context = rec.context(index);
  rec.vcpu.activate(context);
  u8.copyWithin(context.gprsOffset, page + PlaneEnter.gprs, page + PlaneEnter.gprs + GPR_BYTES);
  copyDoubleword(view, context.pcOffset, page + PlaneEnter.pc);
  context.pstate = pstate;
  const flags = view.getUint32(page + PlaneEnter.flags, true);
  const { gic } = rec.plane(index);
  if ((flags & PlaneEnterFlag.gicOwner) !== 0) {
    gic.set(rec.plane(0).gic);
    rec.gicOwner = index;
  } else {
    loadGic(gic, view, page + PlaneEnter.gicv3Hcr);
  }
  rec.active = index;
  rec.runIpa = runIpa;
  rec.planeFlags = flags;
  return SmcOutcome.Plane;
}

/** Where PC is when a plane exit is recorded. */
const PcAt = {
  /** The instruction, which is executed again. */
  Instruction: 0,
  /** The instruction, but TF-RMM of the 1.1 specification moves PC past it before it tells plane 0: SMC, WFI, WFE. */
  Skip: 1,
  /** Already behind it, which is where HVC returns to. */
  Behind: 2,
} as const;
type PcAt = (typeof PcAt)[keyof typeof PcAt];

/**
 * Ends the run of the active plane: fills RsiPlaneExit and gives control back to plane 0.
 *
 * @returns true where that made a REC exit instead, because the host took the run page away
 */
export function exitPlane(state: RmmState, rec: Rec, reason: number, pc: PcAt = PcAt.Instruction): boolean {
  const { realm } = rec;
  const plane = rec.plane(rec.active);
  const context = rec.context(rec.active);
  const page = operandOffset(realm, rec.runIpa);
  if (page === Operand.Unmapped) {
    if (pc === PcAt.Behind) context.pc = BigInt.asUintN(64, context.pc - BigInt(INSTRUCTION));
    exitImitatedAbort(state, rec, rec.runIpa, realm.rtt.level);
    return true;
  }
  if (pc === PcAt.Skip) context.advancePc(INSTRUCTION);
  if (rec.gicOwner !== 0) rec.plane(0).gic.set(plane.gic);
  rec.gicOwner = 0;
  rec.active = 0;
  if (page === Operand.Empty) {
    answer(rec.registers, RsiStatus.ErrorInput);
  } else {
    const { u8, view } = state.memory.linear;
    const { el2 } = rec.vcpu;
    u8.fill(0, page + PLANE_EXIT_OFFSET, page + PAGE);
    view.setUint32(page + PlaneExit.reason, reason, true);
    copyDoubleword(view, page + PlaneExit.pc, context.pcOffset);
    copyDoubleword(view, page + PlaneExit.esr, el2.esr);
    copyDoubleword(view, page + PlaneExit.far, el2.far);
    copyDoubleword(view, page + PlaneExit.hpfar, el2.hpfar);
    view.setUint32(page + PlaneExit.pstate, context.pstate, true);
    u8.copyWithin(page + PlaneExit.gprs, context.gprsOffset, context.gprsOffset + GPR_BYTES);
    storeGic(plane.gic, view, page + PlaneExit.gicv3Hcr);
    storePlaneTimers(plane, view, page);
    state.cpu.wrote(page + PLANE_EXIT_OFFSET, PAGE - PLANE_EXIT_OFFSET);
    answer(rec.registers, RsiStatus.Success);
  }
  rec.advancePlane0();
  return false;
}

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
