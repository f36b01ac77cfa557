import { GRANULE_SIZE } from '../../machine/index.ts';
import { Ripas, rmiResult, RmiStatus } from '../abi/status.ts';
import { RealmState } from '../realm/realm.ts';
import { entryKind, entryRipas, entryState, EntryState, withOverlay, withRipas } from '../realm/rtt-entry.ts';
import { entrySpan, LEAF_LEVEL, type Rtt } from '../realm/rtt.ts';
import type { RangeRequest, Rec } from '../rec/rec.ts';
import type { RmiCall } from './rmi-call.ts';

/** RMI_RTT_INIT_RIPAS: sets RIPAS RAM in the part of [base, top) that one table covers. X1 is the end of that part. */
export function rttInitRipas({ out, state }: RmiCall, rd: number, base: number, top: number): number {
  const realm = state.realm(rd);
  if (realm === undefined || base < 0 || top <= base || top > realm.rtt.parTop || top % GRANULE_SIZE !== 0) {
    return RmiStatus.ErrorInput;
  }
  // The specification does not say how an unaligned base fails; TF-RMM checks it before the walk.
  if (base % GRANULE_SIZE !== 0) return RmiStatus.ErrorInput;
  if (realm.state !== RealmState.New) return RmiStatus.ErrorRealm;
  const { rtt } = realm;
  rtt.walk(base, LEAF_LEVEL);
  const { level } = rtt;
  const span = entrySpan(level);
  if (base % span !== 0) return rmiResult(RmiStatus.ErrorRtt, level);
  let end = base;
  do {
    const { word } = rtt;
    // TF-RMM does not change DESTROYED to RAM, although the realm has not run.
    if (entryState(word) !== EntryState.Unassigned || entryRipas(word) === Ripas.Destroyed || end + span > top) break;
    rtt.writeKind(withRipas(entryKind(word), Ripas.Ram));
    end += span;
  } while (end < top && rtt.next());
  if (end === base) return rmiResult(RmiStatus.ErrorRtt, level);
  realm.measurements.extendRipas(base, end, span);
  out.set(1, end);
  return RmiStatus.Success;
}

/** The differences between RTT_SET_RIPAS and RTT_SET_S2AP. */
interface RangeChange {
  /** The pending request of a REC. */
  request(rec: Rec): RangeRequest | undefined;
  /**
   * Changes the entry for `from`, at which the walk ended.
   *
   * @returns the start of the next entry, or `from` if this one may not be changed
   */
  change(rtt: Rtt, request: RangeRequest, from: number, top: number): number;
}

/** Carries out a REC's request from `base` on, in one table: [base, top) must continue the request. @returns X0 */
function setRange(
  { out, state }: RmiCall,
  range: RangeChange,
  rd: number,
  recPa: number,
  base: number,
  top: number,
): number {
  const realm = state.realm(rd);
  const rec = state.rec(recPa);
  if (realm === undefined || rec === undefined || base < 0 || top <= base || top % GRANULE_SIZE !== 0) {
    return RmiStatus.ErrorInput;
  }
  if (rec.running || rec.realm !== realm) return RmiStatus.ErrorRec;
  const request = range.request(rec);
  if (request === undefined || base !== request.addr || top > request.top) return RmiStatus.ErrorInput;

  const { rtt } = realm;
  rtt.walk(base, LEAF_LEVEL);
  const { level } = rtt;
  let end = base;
  do {
    const next = range.change(rtt, request, end, top);
    if (next === end) break;
    end = next;
  } while (end < top && rtt.next());
  if (end === base) return rmiResult(RmiStatus.ErrorRtt, level);
  realm.invalidate(base, end - base);
  request.addr = end;
  out.set(1, end);
  return RmiStatus.Success;
}

const ripasChange: RangeChange = {
  request: (rec) => rec.ripas,
  change(rtt, request, from, top) {
    const { word } = rtt;
    if (entryState(word) === EntryState.Table) return from;
    const span = entrySpan(rtt.level);
    const next = (Math.floor(from / span) + 1) * span;
    const ripas = entryRipas(word);
    if (ripas !== request.value) {
      if (from % span !== 0 || next > top) return from;
      if (ripas === Ripas.Destroyed && !request.changeDestroyed) return from;
      rtt.writeKind(withRipas(entryKind(word), request.value));
    }
    return Math.min(next, top);
  },
};

/** RMI_RTT_SET_RIPAS: carries out RSI_IPA_STATE_SET in one table. X1 is the end of the part that was changed. */
export function rttSetRipas(call: RmiCall, rd: number, recPa: number, base: number, top: number): number {
  return setRange(call, ripasChange, rd, recPa, base, top);
}

const s2apChange: RangeChange = {
  request: (rec) => rec.s2ap,
  change(rtt, request, from, top) {
    const { word } = rtt;
    const span = entrySpan(rtt.level);
    if (entryState(word) === EntryState.Table || from % span !== 0 || from + span > top) return from;
    rtt.writeKind(withOverlay(entryKind(word), request.value));
    return from + span;
  },
};

/**
 * RMI_RTT_SET_S2AP: carries out RSI_MEM_SET_PERM_INDEX in one table. X1 is the end of the part that was changed, which
 * may be empty; X2 is the tree.
 */
export function rttSetS2ap(call: RmiCall, rd: number, recPa: number, base: number, top: number): number {
  const result = setRange(call, s2apChange, rd, recPa, base, top);
  if ((result & 0xff) === RmiStatus.ErrorRtt) call.out.set(1, base);
  return result;
}
