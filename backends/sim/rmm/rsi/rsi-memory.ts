import { RealmConfigLayout } from '../abi/realm-config.ts';
import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import { type RegisterFile, writeNumber } from '../abi/register-file.ts';
import { Ripas, RsiStatus } from '../abi/status.ts';
import { Operand, operandOffset } from '../realm/operand.ts';
import type { Realm } from '../realm/realm.ts';
import { entryRipas } from '../realm/rtt-entry.ts';
import { entrySpan, LEAF_LEVEL } from '../realm/rtt.ts';
import { exitImitatedAbort, exitRec } from '../rec/rec-exit.ts';
import type { Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import { GIC_VTR } from '../rec/vgic.ts';
import { answer } from './rsi-answer.ts';
import { SmcOutcome } from './smc-outcome.ts';

const GRANULE = 4096;
/** RSI_IPA_STATE_SET: flags bit 0, "change from DESTROYED". */
const CHANGE_DESTROYED = 1;

/** RSI_REALM_CONFIG: fills a page of the realm with RsiRealmConfig. */
export function realmConfig(state: RmmState, rec: Rec, registers: RegisterFile): SmcOutcome {
  const { realm } = rec;
  const ipa = registers.get(1);
  if (ipa < 0 || ipa % GRANULE !== 0 || ipa >= realm.rtt.parTop) return answer(registers, RsiStatus.ErrorInput);
  const page = operandOffset(realm, ipa);
  if (page === Operand.Empty) return answer(registers, RsiStatus.ErrorInput);
  if (page === Operand.Unmapped) {
    exitImitatedAbort(state, rec, ipa, realm.rtt.level);
    return SmcOutcome.Retry;
  }
  const { u8, view } = state.memory.linear;
  const { options } = realm;
  // TF-RMM leaves the bytes between the fields as they were.
  if (!state.asTfRmm) u8.fill(0, page, page + GRANULE);
  writeNumber(view, page + RealmConfigLayout.ipaWidth, options.root.ipaWidth);
  view.setUint8(page + RealmConfigLayout.hashAlgorithm, options.hashAlgorithm);
  writeNumber(view, page + RealmConfigLayout.numAuxPlanes, options.numAuxPlanes);
  view.setUint32(page + RealmConfigLayout.gicv3Vtr, GIC_VTR, true);
  writeNumber(view, page + RealmConfigLayout.atsPlane, options.atsPlane);
  u8.set(options.rpv, page + RealmConfigLayout.rpv);
  state.cpu.wrote(page, GRANULE);
  return answer(registers, RsiStatus.Success);
}

/** RSI_IPA_STATE_SET: asks the host to change RIPAS of a range. */
export function ipaStateSet(state: RmmState, rec: Rec, registers: RegisterFile): SmcOutcome {
  const base = registers.get(1);
  const top = registers.get(2);
  const ripas = registers.get(3);
  const valid = (ripas === Ripas.Empty || ripas === Ripas.Ram) && rec.realm.isProtectedRange(base, top);
  if (!valid) return answer(registers, RsiStatus.ErrorInput);
  const { view } = state;
  const run = exitRec(state, rec, RecExitReason.RipasChange);
  writeNumber(view, run + RecExit.ripasBase, base);
  writeNumber(view, run + RecExit.ripasTop, top);
  view.setUint8(run + RecExit.ripasValue, ripas);
  const changeDestroyed = (registers.low(4) & CHANGE_DESTROYED) !== 0;
  rec.ripas = { base, top, addr: base, value: ripas, changeDestroyed };
  return SmcOutcome.Exit;
}

/** RSI_IPA_STATE_GET: RIPAS at X1, and how far it is uniform in the table where the walk ends. */
export function ipaStateGet(realm: Realm, registers: RegisterFile): SmcOutcome {
  const base = registers.get(1);
  const top = registers.get(2);
  if (!realm.isProtectedRange(base, top)) return answer(registers, RsiStatus.ErrorInput);
  const { rtt } = realm;
  rtt.walk(base, LEAF_LEVEL);
  const span = entrySpan(rtt.level);
  const ripas = entryRipas(rtt.word);
  let end = Math.floor(base / span) * span;
  do end += span;
  while (end < top && rtt.next() && !rtt.isTable && entryRipas(rtt.word) === ripas);
  return answer(registers, RsiStatus.Success, Math.min(end, top), ripas);
}
