import { HostCallLayout } from '../abi/host-call-layout.ts';
import { GPR_COUNT } from '../abi/plane-run.ts';
import { RecEnter, RecExit, RecExitReason } from '../abi/rec-run.ts';
import { RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { Operand, operandOffset } from '../realm/operand.ts';
import { exitImitatedAbort, exitRec } from '../rec/rec-exit.ts';
import type { Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { answer } from './rsi-answer.ts';
import { SmcOutcome } from './smc-outcome.ts';

const GPR_BYTES = GPR_COUNT * 8;

/** RSI_HOST_CALL (RMM specification, B5.3), from whichever plane is active. */
export function hostCall(state: RmmState, rec: Rec, registers: RegisterFile): SmcOutcome {
  const { realm } = rec;
  const ipa = registers.get(1);
  if (ipa < 0 || ipa % HostCallLayout.bytes !== 0 || ipa >= realm.rtt.parTop) {
    return answer(registers, RsiStatus.ErrorInput);
  }
  const structure = operandOffset(realm, ipa);
  if (structure === Operand.Empty) return answer(registers, RsiStatus.ErrorInput);
  if (structure === Operand.Unmapped) {
    exitImitatedAbort(state, rec, ipa, realm.rtt.level);
    return SmcOutcome.Retry;
  }
  const { u8, view } = state.memory.linear;
  const run = exitRec(state, rec, RecExitReason.HostCall);
  // The immediate has 16 bits; TF-RMM passes 32.
  const imm = view.getUint32(structure + HostCallLayout.imm, true);
  view.setUint32(run + RecExit.imm, state.asTfRmm ? imm : imm & 0xffff, true);
  const gprs = structure + HostCallLayout.gprs;
  u8.copyWithin(run + RecExit.gprs, gprs, gprs + GPR_BYTES);
  view.setUint32(run + RecExit.plane, rec.active, true);
  rec.hostCall = ipa;
  return SmcOutcome.Exit;
}

/**
 * Gives the host's answer to the plane that called.
 *
 * @returns false where the host took the structure's page away: a REC exit is recorded, and the call stays open
 */
export function completeHostCall(state: RmmState, rec: Rec): boolean {
  const ipa = rec.hostCall;
  if (ipa === undefined) return true;
  const structure = operandOffset(rec.realm, ipa);
  if (structure === Operand.Unmapped) {
    exitImitatedAbort(state, rec, ipa, rec.realm.rtt.level);
    return false;
  }
  rec.hostCall = undefined;
  const registers = rec.active === 0 ? rec.registers : new RegisterFile(state.view, rec.context(rec.active).gprsOffset);
  if (structure === Operand.Empty) {
    registers.set(0, RsiStatus.ErrorInput);
    return true;
  }
  const { u8 } = state.memory.linear;
  const gprs = rec.run + RecEnter.gprs;
  u8.copyWithin(structure + HostCallLayout.gprs, gprs, gprs + GPR_BYTES);
  state.cpu.wrote(structure + HostCallLayout.gprs, GPR_BYTES);
  registers.set(0, RsiStatus.Success);
  return true;
}
