import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import type { RegisterFile } from '../abi/register-file.ts';
import { RsiStatus } from '../abi/status.ts';
import { OVERLAY_INDICES } from '../realm/overlay.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import { SmcOutcome } from '../rec/smc-outcome.ts';

function isIndex(index: number): boolean {
  return index >= 0 && index < OVERLAY_INDICES;
}

/** RSI_MEM_GET_PERM_VALUE: permissions of plane X1 for pages with overlay index X2. */
export function memGetPermValue(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const { realm, state } = entry;
  const plane = x.get(1);
  // TF-RMM truncates the index to 32 bits.
  const index = state.asTfRmm ? x.low(2) : x.get(2);
  if (plane < 0 || plane >= realm.planeCount || !isIndex(index)) return entry.answer(RsiStatus.ErrorInput);
  return entry.answer(RsiStatus.Success, realm.overlay.value(plane, index));
}

/** RSI_MEM_SET_PERM_VALUE: possible until the index is first assigned to pages. */
export function memSetPermValue(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const { realm } = entry;
  const plane = x.get(1);
  const index = x.get(2);
  const valid = plane >= 1 && plane < realm.planeCount && isIndex(index);
  if (!valid || !realm.overlay.setValue(plane, index, x.get(3))) {
    return entry.answer(RsiStatus.ErrorInput);
  }
  realm.invalidate(0, realm.rtt.parTop);
  return entry.answer(RsiStatus.Success);
}

/** RSI_MEM_SET_PERM_INDEX: asks the host to assign an overlay index. With one tree, the only cookie is 0. */
export function memSetPermIndex(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const base = x.get(1);
  const top = x.get(2);
  const index = x.get(3);
  const valid = entry.realm.isProtectedRange(base, top) && isIndex(index) && x.get(4) === 0;
  if (!valid) return entry.answer(RsiStatus.ErrorInput);
  entry.exit(RecExitReason.S2apChange);
  entry.report(RecExit.s2apBase, base);
  entry.report(RecExit.s2apTop, top);
  entry.rec.s2ap = { base, top, addr: base, value: index, changeDestroyed: false };
  return SmcOutcome.Exit;
}
