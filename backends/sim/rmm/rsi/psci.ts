import { indexOfTarget } from '../abi/mpidr.ts';
import { SysregEncoding } from '../abi/plane-sysregs.ts';
import { Psci, PsciStatus } from '../abi/psci-fids.ts';
import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import { type RegisterFile, writeNumber } from '../abi/register-file.ts';
import { SMCCC_NOT_SUPPORTED, SMCCC_VERSION } from '../abi/smccc.ts';
import { RmiStatus } from '../abi/status.ts';
import { type Realm, RealmState } from '../realm/realm.ts';
import { exitRec } from '../rec/rec-exit.ts';
import type { Rec } from '../rec/rec.ts';
import { RESET_SCTLR } from '../rec/reset-state.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { answer } from './rsi-answer.ts';
import { SmcOutcome } from './smc-outcome.ts';

/** AFFINITY_INFO results. */
const Affinity = { On: 0, Off: 1 } as const;

const PSCI_VERSION_1_1 = 0x1_0001;
const SCTLR_EE = 1n << 25n;
const SUPPORTED: ReadonlySet<number> = new Set([...Object.values(Psci), SMCCC_VERSION]);

/** Serves a PSCI call of plane 0 (RMM specification 1.0, B6). */
export function servePsci(state: RmmState, rec: Rec, registers: RegisterFile, fid: number): SmcOutcome {
  switch (fid) {
    case Psci.VERSION:
      return answer(registers, PSCI_VERSION_1_1);
    case Psci.FEATURES:
      return answer(registers, isSupported(state, registers.low(1)) ? PsciStatus.Success : PsciStatus.NotSupported);
    case Psci.CPU_SUSPEND:
    case Psci.CPU_SUSPEND64:
      exitPsci(state, rec, fid);
      answer(registers, PsciStatus.Success);
      return SmcOutcome.Exit;
    case Psci.CPU_OFF:
      rec.runnable = false;
      exitPsci(state, rec, fid);
      return SmcOutcome.Exit;
    case Psci.CPU_ON:
    case Psci.CPU_ON64:
      return cpuOn(state, rec, registers, fid);
    case Psci.AFFINITY_INFO:
    case Psci.AFFINITY_INFO64:
      return affinityInfo(state, rec, registers, fid);
    case Psci.SYSTEM_OFF:
    case Psci.SYSTEM_RESET:
      rec.realm.state = RealmState.SystemOff;
      exitPsci(state, rec, fid);
      return SmcOutcome.Exit;
    default:
      return answer(registers, SMCCC_NOT_SUPPORTED);
  }
}

/** TF-RMM does not count PSCI_VERSION among the functions that it supports. */
function isSupported(state: RmmState, fid: number): boolean {
  return SUPPORTED.has(fid) && !(state.asTfRmm && fid === Psci.VERSION);
}

function exitPsci(state: RmmState, rec: Rec, fid: number, target?: Rec): void {
  const run = exitRec(state, rec, RecExitReason.Psci);
  writeNumber(state.view, run + RecExit.gprs, fid);
  if (target !== undefined) writeNumber(state.view, run + RecExit.gprs + 8, target.slot.mpidr);
}

/** The REC that X1 of a call names. */
function targetOf(state: RmmState, realm: Realm, registers: RegisterFile): Rec | undefined {
  const index = indexOfTarget(registers.low(1), registers.high(1), state.asTfRmm);
  return index < 0 ? undefined : state.recsOf(realm)[index];
}

function cpuOn(state: RmmState, rec: Rec, registers: RegisterFile, fid: number): SmcOutcome {
  const entry = registers.get(2);
  if (entry < 0 || entry >= rec.realm.rtt.parTop) return answer(registers, PsciStatus.InvalidAddress);
  const target = targetOf(state, rec.realm, registers);
  if (target === undefined) return answer(registers, PsciStatus.InvalidParameters);
  if (target === rec) return answer(registers, PsciStatus.AlreadyOn);
  exitPsci(state, rec, fid, target);
  rec.psci = { isCpuOn: true, target: target.index, entry: registers.big(2), contextId: registers.big(3) };
  return SmcOutcome.Exit;
}

function affinityInfo(state: RmmState, rec: Rec, registers: RegisterFile, fid: number): SmcOutcome {
  const target = targetOf(state, rec.realm, registers);
  if (registers.get(2) !== 0 || target === undefined) return answer(registers, PsciStatus.InvalidParameters);
  if (target === rec) return answer(registers, Affinity.On);
  exitPsci(state, rec, fid, target);
  rec.psci = { isCpuOn: false, target: target.index, entry: 0n, contextId: 0n };
  return SmcOutcome.Exit;
}

/** RMI_PSCI_COMPLETE: the host's word on a request of one REC about another. @param status a PSCI status, -1 if none */
export function completePsci(state: RmmState, callingPa: number, targetPa: number, status: number): number {
  const calling = state.rec(callingPa);
  const target = state.rec(targetPa);
  const request = calling?.psci;
  if (calling === undefined || target === undefined || calling === target || request === undefined) {
    return RmiStatus.ErrorInput;
  }
  const matches = calling.realm === target.realm && request.target === target.index;
  if (!matches || calling.running) return RmiStatus.ErrorInput;
  const denied = status === PsciStatus.Denied;
  if (status !== PsciStatus.Success && !(denied && request.isCpuOn)) return RmiStatus.ErrorInput;

  calling.psci = undefined;
  let result: number;
  if (!request.isCpuOn) result = target.runnable ? Affinity.On : Affinity.Off;
  else if (target.runnable) result = PsciStatus.AlreadyOn;
  else result = denied ? PsciStatus.Denied : turnOn(calling, target, request.entry, request.contextId);
  answer(calling.registers, result);
  return denied && target.runnable ? RmiStatus.ErrorInput : RmiStatus.Success;
}

function turnOn(calling: Rec, target: Rec, pc: bigint, contextId: bigint): number {
  const caller = calling.program === undefined ? calling.context(0).sysreg(SysregEncoding.SCTLR_EL1) : undefined;
  target.setEntry({ pc, gprs: [contextId], sctlr: RESET_SCTLR | ((caller ?? 0n) & SCTLR_EE) });
  target.runnable = true;
  return PsciStatus.Success;
}
