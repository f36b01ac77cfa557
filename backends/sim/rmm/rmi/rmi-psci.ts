import { SysregEncoding } from '../abi/plane-sysregs.ts';
import { Affinity, PsciStatus } from '../abi/psci-fids.ts';
import { RmiStatus } from '../abi/status.ts';
import type { Rec } from '../rec/rec.ts';
import { RESET_SCTLR } from '../rec/reset-state.ts';
import type { RmiCall } from './rmi-call.ts';

const SCTLR_EE = 1n << 25n;

/** RMI_PSCI_COMPLETE: the host's answer to a PSCI request of one REC about another. @param status a PSCI status */
export function completePsci({ state }: RmiCall, callingPa: number, targetPa: number, status: number): number {
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
  calling.registers.setResults(result);
  return denied && target.runnable ? RmiStatus.ErrorInput : RmiStatus.Success;
}

function turnOn(calling: Rec, target: Rec, pc: bigint, contextId: bigint): number {
  const caller = calling.program === undefined ? calling.context(0).sysreg(SysregEncoding.SCTLR_EL1) : undefined;
  target.setEntry({ pc, gprs: [contextId], sctlr: RESET_SCTLR | ((caller ?? 0n) & SCTLR_EE) });
  target.runnable = true;
  return PsciStatus.Success;
}
