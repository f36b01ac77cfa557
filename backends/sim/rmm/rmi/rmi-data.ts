import { GRANULE_SIZE } from '../../machine/index.ts';
import { Ripas, rmiResult, RmiStatus } from '../abi/status.ts';
import { GranuleState } from '../realm/granule.ts';
import { type Realm, RealmState } from '../realm/realm.ts';
import {
  entryOverlay,
  entryRipas,
  entryState,
  EntryState,
  unassigned,
  withRipas,
  withState,
} from '../realm/rtt-entry.ts';
import { LEAF_LEVEL } from '../realm/rtt.ts';
import type { RmmState } from '../rec/rmm-state.ts';
import type { RmiCall } from './rmi-call.ts';

/** RmiDataFlags: the content is measured. */
const MEASURE_CONTENT = 1;

function isProtectedPage(realm: Realm, ipa: number): boolean {
  return ipa >= 0 && ipa % GRANULE_SIZE === 0 && ipa < realm.rtt.parTop;
}

/** RMI_DATA_CREATE: copies a page of the Normal world into a new realm, and measures it. */
export function dataCreate(
  { state }: RmiCall,
  rd: number,
  data: number,
  ipa: number,
  source: number,
  flags: number,
): number {
  const realm = state.realm(rd);
  const valid =
    state.granules.isNormal(source) && state.isDelegated(data) && (flags === 0 || flags === MEASURE_CONTENT);
  if (realm === undefined || !valid) return RmiStatus.ErrorInput;
  if (realm.state !== RealmState.New) return RmiStatus.ErrorRealm;
  if (!isProtectedPage(realm, ipa)) return RmiStatus.ErrorInput;
  const { rtt } = realm;
  rtt.walk(ipa, LEAF_LEVEL);
  if (rtt.level !== LEAF_LEVEL || entryState(rtt.word) !== EntryState.Unassigned) {
    return rmiResult(RmiStatus.ErrorRtt, rtt.level);
  }
  const content = state.page(data);
  content.set(state.page(source));
  state.cpu.wrote(state.memory.offsetOf(data), GRANULE_SIZE);
  realm.measurements.extendData(ipa, flags, flags === MEASURE_CONTENT ? content : undefined);
  assign(state, realm, data, withRipas(rtt.word, Ripas.Ram));
  return RmiStatus.Success;
}

/** RMI_DATA_CREATE_UNKNOWN: maps an empty page in the realm. RIPAS is kept. */
export function dataCreateUnknown({ state }: RmiCall, rd: number, data: number, ipa: number): number {
  const realm = state.realm(rd);
  if (realm === undefined || !state.isDelegated(data) || !isProtectedPage(realm, ipa)) return RmiStatus.ErrorInput;
  const { rtt } = realm;
  rtt.walk(ipa, LEAF_LEVEL);
  if (rtt.level !== LEAF_LEVEL || entryState(rtt.word) !== EntryState.Unassigned) {
    return rmiResult(RmiStatus.ErrorRtt, rtt.level);
  }
  state.granules.wipe(data);
  state.cpu.wrote(state.memory.offsetOf(data), GRANULE_SIZE);
  assign(state, realm, data, rtt.word);
  realm.invalidate(ipa, GRANULE_SIZE);
  return RmiStatus.Success;
}

function assign(state: RmmState, realm: Realm, data: number, word: number): void {
  realm.rtt.write(withState(word, EntryState.Assigned), data);
  state.granules.set(data, GranuleState.Data);
}

/** RMI_DATA_DESTROY: X1 is the granule, X2 the next live address. RIPAS RAM becomes DESTROYED. */
export function dataDestroy({ out, state }: RmiCall, rd: number, ipa: number): number {
  const realm = state.realm(rd);
  if (realm === undefined || !isProtectedPage(realm, ipa)) return RmiStatus.ErrorInput;
  const { rtt } = realm;
  rtt.walk(ipa, LEAF_LEVEL);
  const { word } = rtt;
  if (rtt.level !== LEAF_LEVEL || entryState(word) !== EntryState.Assigned) {
    out.set(2, rtt.nextLive(ipa));
    return rmiResult(RmiStatus.ErrorRtt, rtt.level);
  }
  const data = rtt.address;
  const ripas = entryRipas(word);
  // TF-RMM resets the overlay index only together with RIPAS RAM.
  rtt.write(unassigned(ripas === Ripas.Ram ? Ripas.Destroyed : ripas, ripas === Ripas.Ram ? 0 : entryOverlay(word)), 0);
  realm.invalidate(ipa, GRANULE_SIZE);
  state.granules.set(data, GranuleState.Delegated);
  out.set(1, data);
  out.set(2, rtt.nextLive(ipa));
  return RmiStatus.Success;
}
