import type { RegisterFile } from '../abi/register-file.ts';
import { Ripas, rmiResult, RmiStatus } from '../abi/status.ts';
import { type Realm, RealmState } from '../realm/realm.ts';
import { entryKind, entryRipas, entryState, EntryState, withOverlay, withRipas } from '../realm/rtt-entry.ts';
import { entrySpan, LEAF_LEVEL } from '../realm/rtt.ts';
import type { RangeRequest, Rec } from '../rec/rec.ts';
import type { RmmState } from '../rec/rmm-state.ts';

const GRANULE = 4096;

/** RMI_RTT_INIT_RIPAS: RIPAS RAM for as much of [base, top) as one table has. X1 is how far that was. */
export function rttInitRipas(state: RmmState, rd: number, base: number, top: number, out: RegisterFile): number {
  const realm = state.realm(rd);
  if (realm === undefined || base < 0 || top <= base || top > realm.rtt.parTop || top % GRANULE !== 0) {
    return RmiStatus.ErrorInput;
  }
  // The specification leaves open how such a base fails; TF-RMM looks at it before the walk.
  if (base % GRANULE !== 0) return RmiStatus.ErrorInput;
  if (realm.state !== RealmState.New) return RmiStatus.ErrorRealm;
  const { rtt } = realm;
  rtt.walk(base, LEAF_LEVEL);
  const { level } = rtt;
  const span = entrySpan(level);
  if (base % span !== 0) return rmiResult(RmiStatus.ErrorRtt, level);
  let end = base;
  do {
    const { word } = rtt;
    // TF-RMM does not give RAM back where the host destroyed it, though the realm has not run.
    if (entryState(word) !== EntryState.Unassigned || entryRipas(word) === Ripas.Destroyed || end + span > top) break;
    rtt.writeKind(withRipas(entryKind(word), Ripas.Ram));
    end += span;
  } while (end < top && rtt.next());
  if (end === base) return rmiResult(RmiStatus.ErrorRtt, level);
  realm.measurements.extendRipas(base, end, span);
  out.set(1, end);
  return RmiStatus.Success;
}

/** Checks what RTT_SET_RIPAS and RTT_SET_S2AP have in common: [base, top) continues what the REC asked for. */
function checkRequest(realm: Realm, rec: Rec, request: RangeRequest | undefined, base: number, top: number): number {
  if (rec.running || rec.realm !== realm) return RmiStatus.ErrorRec;
  if (request === undefined || base !== request.addr || top > request.top) return RmiStatus.ErrorInput;
  return RmiStatus.Success;
}

/** RMI_RTT_SET_RIPAS: does what RSI_IPA_STATE_SET asked for, in one table. X1 is how far that was. */
export function rttSetRipas(
  state: RmmState,
  rd: number,
  recPa: number,
  base: number,
  top: number,
  out: RegisterFile,
): number {
  const realm = state.realm(rd);
  const rec = state.rec(recPa);
  if (realm === undefined || rec === undefined || base < 0 || top <= base || top % GRANULE !== 0) {
    return RmiStatus.ErrorInput;
  }
  const request = rec.ripas;
  const status = checkRequest(realm, rec, request, base, top);
  if (status !== RmiStatus.Success || request === undefined) return status;

  const { rtt } = realm;
  rtt.walk(base, LEAF_LEVEL);
  const { level } = rtt;
  const span = entrySpan(level);
  let end = base;
  do {
    const { word } = rtt;
    if (entryState(word) === EntryState.Table) break;
    const entryEnd = (Math.floor(end / span) + 1) * span;
    const ripas = entryRipas(word);
    if (ripas !== request.value) {
      if (end % span !== 0 || entryEnd > top) break;
      if (ripas === Ripas.Destroyed && !request.changeDestroyed) break;
      rtt.writeKind(withRipas(entryKind(word), request.value));
    }
    end = Math.min(entryEnd, top);
  } while (end < top && rtt.next());
  if (end === base) return rmiResult(RmiStatus.ErrorRtt, level);
  realm.invalidate(base, end - base);
  request.addr = end;
  out.set(1, end);
  return RmiStatus.Success;
}

/** RMI_RTT_SET_S2AP: does what RSI_MEM_SET_PERM_INDEX asked for, in one table. X1 is how far that was, X2 the tree. */
export function rttSetS2ap(
  state: RmmState,
  rd: number,
  recPa: number,
  base: number,
  top: number,
  out: RegisterFile,
): number {
  const realm = state.realm(rd);
  const rec = state.rec(recPa);
  if (realm === undefined || rec === undefined || base < 0 || top <= base || top % GRANULE !== 0) {
    return RmiStatus.ErrorInput;
  }
  const request = rec.s2ap;
  const status = checkRequest(realm, rec, request, base, top);
  if (status !== RmiStatus.Success || request === undefined) return status;

  const { rtt } = realm;
  rtt.walk(base, LEAF_LEVEL);
  const { level } = rtt;
  const span = entrySpan(level);
  let end = base;
  do {
    const { word } = rtt;
    if (entryState(word) === EntryState.Table || end % span !== 0 || end + span > top) break;
    rtt.writeKind(withOverlay(entryKind(word), request.value));
    end += span;
  } while (end < top && rtt.next());
  out.set(1, end);
  if (end === base) return rmiResult(RmiStatus.ErrorRtt, level);
  realm.invalidate(base, end - base);
  request.addr = end;
  return RmiStatus.Success;
}
