import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import { type RegisterFile, writeNumber } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { OVERLAY_INDICES } from '../realm/overlay.ts';
import type { Realm } from '../realm/realm.ts';
import { exitRec } from '../rec/rec-exit.ts';
import type { Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { answer } from './rsi-answer.ts';
import { SmcOutcome } from './smc-outcome.ts';

function isIndex(index: number): boolean {
  return index >= 0 && index < OVERLAY_INDICES;
}

/** RSI_MEM_GET_PERM_VALUE: what plane X1 may do with pages of overlay index X2. */
export function memGetPermValue(state: RmmState, realm: Realm, registers: RegisterFile): SmcOutcome {
  const plane = registers.get(1);
  // TF-RMM truncates the index to 32 bits.
  const index = state.asTfRmm ? registers.low(2) : registers.get(2);
  if (plane < 0 || plane >= realm.planeCount || !isIndex(index)) return answer(registers, RsiStatus.ErrorInput);
  return answer(registers, RsiStatus.Success, realm.overlay.value(plane, index));
}

/** RSI_MEM_SET_PERM_VALUE: possible until the index is first given to pages. */
export function memSetPermValue(realm: Realm, registers: RegisterFile): SmcOutcome {
  const plane = registers.get(1);
  const index = registers.get(2);
  const valid = plane >= 1 && plane < realm.planeCount && isIndex(index);
  if (!valid || !realm.overlay.setValue(plane, index, registers.get(3))) {
    return answer(registers, RsiStatus.ErrorInput);
  }
  realm.invalidate(0, realm.rtt.parTop);
  return answer(registers, RsiStatus.Success);
}

/** RSI_MEM_SET_PERM_INDEX: asks the host to give pages an overlay index. A realm with one tree has no cookies but 0. */
export function memSetPermIndex(state: RmmState, rec: Rec, registers: RegisterFile): SmcOutcome {
  const base = registers.get(1);
  const top = registers.get(2);
  const index = registers.get(3);
  const valid = rec.realm.isProtectedRange(base, top) && isIndex(index) && registers.get(4) === 0;
  if (!valid) return answer(registers, RsiStatus.ErrorInput);
  const run = exitRec(state, rec, RecExitReason.S2apChange);
  writeNumber(state.view, run + RecExit.s2apBase, base);
  writeNumber(state.view, run + RecExit.s2apTop, top);
  rec.s2ap = { base, top, addr: base, value: index, changeDestroyed: false };
  return SmcOutcome.Exit;
}
