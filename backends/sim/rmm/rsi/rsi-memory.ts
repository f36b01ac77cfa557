import { GRANULE_SIZE } from '../../machine/index.ts';
import { RealmConfigLayout } from '../abi/realm-config.ts';
import { RecExit, RecExitReason } from '../abi/rec-run.ts';
import { type RegisterFile, writeNumber } from '../abi/register-file.ts';
import { Ripas, RsiStatus } from '../abi/status.ts';
import { Operand } from '../realm/operand.ts';
import { entryRipas } from '../realm/rtt-entry.ts';
import { entrySpan, LEAF_LEVEL } from '../realm/rtt.ts';
import type { RecEntry } from '../rec/rec-entry.ts';
import { SmcOutcome } from '../rec/smc-outcome.ts';
import { GIC_VTR } from '../rec/vgic.ts';

/** RSI_IPA_STATE_SET: flags bit 0, "change from DESTROYED". */
const CHANGE_DESTROYED = 1;

/** RSI_REALM_CONFIG: fills a page of the realm with RsiRealmConfig. */
export function realmConfig(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const { realm, state } = entry;
  const ipa = x.get(1);
  if (ipa < 0 || ipa % GRANULE_SIZE !== 0 || ipa >= realm.rtt.parTop) return entry.answer(RsiStatus.ErrorInput);
  const page = entry.operand(ipa);
  if (page === Operand.Empty) return entry.answer(RsiStatus.ErrorInput);
  if (page === Operand.Unmapped) return SmcOutcome.Retry;
  const { u8, view } = state.memory.linear;
  const { options } = realm;
  // TF-RMM leaves the bytes between the fields unchanged.
  if (!state.asTfRmm) u8.fill(0, page, page + GRANULE_SIZE);
  writeNumber(view, page + RealmConfigLayout.ipaWidth, options.root.ipaWidth);
  view.setUint8(page + RealmConfigLayout.hashAlgorithm, options.hashAlgorithm);
  writeNumber(view, page + RealmConfigLayout.numAuxPlanes, options.numAuxPlanes);
  view.setUint32(page + RealmConfigLayout.gicv3Vtr, GIC_VTR, true);
  writeNumber(view, page + RealmConfigLayout.atsPlane, options.atsPlane);
  u8.set(options.rpv, page + RealmConfigLayout.rpv);
  state.cpu.wrote(page, GRANULE_SIZE);
  return entry.answer(RsiStatus.Success);
}

/** RSI_IPA_STATE_SET: asks the host to change the RIPAS of a range. */
export function ipaStateSet(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const base = x.get(1);
  const top = x.get(2);
  const ripas = x.get(3);
  const valid = (ripas === Ripas.Empty || ripas === Ripas.Ram) && entry.realm.isProtectedRange(base, top);
  if (!valid) return entry.answer(RsiStatus.ErrorInput);
  entry.exit(RecExitReason.RipasChange);
  entry.report(RecExit.ripasBase, base);
  entry.report(RecExit.ripasTop, top);
  entry.view.setUint8(entry.run + RecExit.ripasValue, ripas);
  const changeDestroyed = (x.low(4) & CHANGE_DESTROYED) !== 0;
  entry.rec.ripas = { base, top, addr: base, value: ripas, changeDestroyed };
  return SmcOutcome.Exit;
}

/** RSI_IPA_STATE_GET: RIPAS at X1, and the end of the range in the same table that has the same RIPAS. */
export function ipaStateGet(entry: RecEntry, x: RegisterFile): SmcOutcome {
  const base = x.get(1);
  const top = x.get(2);
  if (!entry.realm.isProtectedRange(base, top)) return entry.answer(RsiStatus.ErrorInput);
  const { rtt } = entry.realm;
  rtt.walk(base, LEAF_LEVEL);
  const span = entrySpan(rtt.level);
  const ripas = entryRipas(rtt.word);
  let end = Math.floor(base / span) * span;
  do end += span;
  while (end < top && rtt.next() && !rtt.isTable && entryRipas(rtt.word) === ripas);
  return entry.answer(RsiStatus.Success, Math.min(end, top), ripas);
}
