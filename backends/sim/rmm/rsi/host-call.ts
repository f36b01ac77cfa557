import { HostCallLayout } from '../abi/host-call-layout.ts';
import { GPR_BYTES } from '../abi/plane-run.ts';
import { RecEnter, RecExit, RecExitReason } from '../abi/rec-run.ts';
import type { RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { Operand } from '../realm/operand.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import { SmcOutcome } from '../rec/smc-outcome.ts';

/** RSI_HOST_CALL (RMM specification, B5.3), from the active plane. */
export function hostCall(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const { rec, realm, run } = entry;
  const { asTfRmm, memory } = entry.state;
  const ipa = x.get(1);
  if (ipa < 0 || ipa % HostCallLayout.bytes !== 0 || ipa >= realm.rtt.parTop) {
    return entry.answer(RsiStatus.ErrorInput);
  }
  const structure = entry.operand(ipa);
  if (structure === Operand.Empty) return entry.answer(RsiStatus.ErrorInput);
  if (structure === Operand.Unmapped) return SmcOutcome.Retry;
  const { u8, view } = memory.linear;
  entry.exit(RecExitReason.HostCall);
  // The immediate has 16 bits; TF-RMM passes 32.
  const imm = view.getUint32(structure + HostCallLayout.imm, true);
  view.setUint32(run + RecExit.imm, asTfRmm ? imm : imm & 0xffff, true);
  const gprs = structure + HostCallLayout.gprs;
  u8.copyWithin(run + RecExit.gprs, gprs, gprs + GPR_BYTES);
  view.setUint32(run + RecExit.plane, rec.active, true);
  rec.hostCall = ipa;
  return SmcOutcome.Exit;
}

/**
 * Passes the host's answer to the plane that made the call.
 *
 * @returns false if the host has unmapped the structure's page: a REC exit is recorded, and the call stays pending
 */
export function completeHostCall(entry: RecEntry): boolean {
  const { rec, run, state } = entry;
  const ipa = rec.hostCall;
  if (ipa === undefined) return true;
  const structure = entry.operand(ipa);
  if (structure === Operand.Unmapped) return false;
  rec.hostCall = undefined;
  const { registers } = entry;
  if (structure === Operand.Empty) {
    registers.set(0, RsiStatus.ErrorInput);
    return true;
  }
  const { u8 } = state.memory.linear;
  const gprs = run + RecEnter.gprs;
  u8.copyWithin(structure + HostCallLayout.gprs, gprs, gprs + GPR_BYTES);
  state.cpu.wrote(structure + HostCallLayout.gprs, GPR_BYTES);
  registers.set(0, RsiStatus.Success);
  return true;
}
