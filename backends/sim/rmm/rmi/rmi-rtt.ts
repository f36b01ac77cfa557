import { GRANULE_SIZE } from '../../machine/index.ts';
import { Ripas, rmiResult, RmiStatus } from '../abi/status.ts';
import { GranuleState } from '../realm/granule.ts';
import type { Realm } from '../realm/realm.ts';
import {
  assignedNs,
  entryRipas,
  entryState,
  EntryState,
  NS_ATTRIBUTES,
  nsAttributes,
  unassigned,
} from '../realm/rtt-entry.ts';
import { entrySpan, LEAF_LEVEL, MIN_BLOCK_LEVEL } from '../realm/rtt.ts';
import type { RmiCall } from './rmi-call.ts';

/** RmiRttEntryState. */
const RttEntryState = { Unassigned: 0, Assigned: 1, Table: 2 } as const;

/** MemAttr[2:0] that stage 2 does not define with FEAT_S2FWB. */
const MEM_ATTR_MASK = 0x1c;
const MEM_ATTR_RESERVED = 0x10;

/** Whether (ipa, level) can be the place of a table for RTT_CREATE, RTT_DESTROY and RTT_FOLD. */
function isTablePlace(realm: Realm, ipa: number, level: number): boolean {
  const { rtt } = realm;
  if (level <= rtt.root.startLevel || level > LEAF_LEVEL) return false;
  return ipa >= 0 && ipa < rtt.ipaTop && ipa % entrySpan(level - 1) === 0;
}

/** RMI_RTT_CREATE. */
export function rttCreate({ state }: RmiCall, rd: number, table: number, ipa: number, level: number): number {
  const realm = state.realm(rd);
  if (realm === undefined || !isTablePlace(realm, ipa, level)) return RmiStatus.ErrorInput;
  if (!state.isDelegated(table)) return RmiStatus.ErrorInput;
  const { rtt } = realm;
  rtt.walk(ipa, level - 1);
  if (rtt.level !== level - 1 || entryState(rtt.word) === EntryState.Table) {
    return rmiResult(RmiStatus.ErrorRtt, rtt.level);
  }
  state.granules.set(table, GranuleState.Rtt);
  rtt.unfold(table);
  realm.invalidate(ipa, entrySpan(level - 1));
  return RmiStatus.Success;
}

/** RMI_RTT_DESTROY: X1 is the table, X2 the next live address. */
export function rttDestroy({ out, state }: RmiCall, rd: number, ipa: number, level: number): number {
  const realm = state.realm(rd);
  if (realm === undefined || !isTablePlace(realm, ipa, level)) return RmiStatus.ErrorInput;
  const { rtt } = realm;
  rtt.walk(ipa, level - 1);
  if (rtt.level !== level - 1 || entryState(rtt.word) !== EntryState.Table) {
    out.set(2, rtt.nextLive(ipa));
    return rmiResult(RmiStatus.ErrorRtt, rtt.level);
  }
  const table = rtt.address;
  if (rtt.isTableLive(table)) {
    out.set(2, ipa);
    return rmiResult(RmiStatus.ErrorRtt, level);
  }
  rtt.write(unassigned(ipa < rtt.parTop ? Ripas.Destroyed : Ripas.Empty, 0), 0);
  realm.invalidate(ipa, entrySpan(level - 1));
  state.granules.set(table, GranuleState.Delegated);
  out.set(1, table);
  out.set(2, rtt.nextLive(ipa));
  return RmiStatus.Success;
}

/** RMI_RTT_FOLD: X1 is the table that is no longer needed. */
export function rttFold({ out, state }: RmiCall, rd: number, ipa: number, level: number): number {
  const realm = state.realm(rd);
  if (realm === undefined || !isTablePlace(realm, ipa, level)) return RmiStatus.ErrorInput;
  const { rtt } = realm;
  rtt.walk(ipa, level - 1);
  if (rtt.level !== level - 1 || entryState(rtt.word) !== EntryState.Table) {
    return rmiResult(RmiStatus.ErrorRtt, rtt.level);
  }
  const table = rtt.address;
  const folded = rtt.folded(table, level);
  if (folded === undefined) return rmiResult(RmiStatus.ErrorRtt, level);
  rtt.write(folded.kind, folded.pa);
  realm.invalidate(ipa, entrySpan(level - 1));
  state.granules.set(table, GranuleState.Delegated);
  out.set(1, table);
  return RmiStatus.Success;
}

/** RMI_RTT_READ_ENTRY: X1 is the level of the walk, X2 the state, X3 the descriptor, X4 the RIPAS. */
export function rttReadEntry({ out, state }: RmiCall, rd: number, ipa: number, level: number): number {
  const realm = state.realm(rd);
  if (realm === undefined) return RmiStatus.ErrorInput;
  const { rtt } = realm;
  const valid = level >= rtt.root.startLevel && level <= LEAF_LEVEL && ipa >= 0 && ipa < rtt.ipaTop;
  if (!valid || ipa % entrySpan(level) !== 0) return RmiStatus.ErrorInput;
  rtt.walk(ipa, level);
  const { word } = rtt;
  const kind = entryState(word);
  out.set(1, rtt.level);
  switch (kind) {
    case EntryState.Unassigned:
      out.set(2, RttEntryState.Unassigned);
      break;
    case EntryState.Table:
      out.set(2, RttEntryState.Table);
      out.set(3, rtt.address);
      return RmiStatus.Success;
    case EntryState.Assigned:
      out.set(2, RttEntryState.Assigned);
      out.set(3, rtt.address);
      break;
    case EntryState.AssignedNs:
      out.set(2, RttEntryState.Assigned);
      out.set(3, rtt.address + nsAttributes(word));
      return RmiStatus.Success;
  }
  out.set(4, entryRipas(word));
  return RmiStatus.Success;
}

/** Whether (ipa, level) can be the place of an unprotected page or block. */
function isUnprotectedPlace(realm: Realm, ipa: number, level: number): boolean {
  const { rtt } = realm;
  if (level < Math.max(MIN_BLOCK_LEVEL, rtt.root.startLevel) || level > LEAF_LEVEL) return false;
  return ipa >= rtt.parTop && ipa < rtt.ipaTop && ipa % entrySpan(level) === 0;
}

/** RMI_RTT_MAP_UNPROTECTED. @param descriptor address, MemAttr[2:0] in bits 4:2, read and write access in bits 7:6 */
export function rttMapUnprotected(
  { state }: RmiCall,
  rd: number,
  ipa: number,
  level: number,
  descriptor: number,
): number {
  const realm = state.realm(rd);
  if (realm === undefined || !isUnprotectedPlace(realm, ipa, level)) return RmiStatus.ErrorInput;
  const attributes = descriptor % GRANULE_SIZE;
  const pa = descriptor - attributes;
  if (descriptor < 0 || pa >= 2 ** 48 || pa % entrySpan(level) !== 0) return RmiStatus.ErrorInput;
  if ((attributes & ~NS_ATTRIBUTES) !== 0 || (attributes & MEM_ATTR_MASK) === MEM_ATTR_RESERVED) {
    return RmiStatus.ErrorInput;
  }
  const { rtt } = realm;
  rtt.walk(ipa, level);
  if (rtt.level !== level || entryState(rtt.word) !== EntryState.Unassigned) {
    return rmiResult(RmiStatus.ErrorRtt, rtt.level);
  }
  rtt.write(assignedNs(attributes), pa);
  realm.invalidate(ipa, entrySpan(level));
  return RmiStatus.Success;
}

/** RMI_RTT_UNMAP_UNPROTECTED: X1 is the next live address. */
export function rttUnmapUnprotected({ out, state }: RmiCall, rd: number, ipa: number, level: number): number {
  const realm = state.realm(rd);
  if (realm === undefined || !isUnprotectedPlace(realm, ipa, level)) return RmiStatus.ErrorInput;
  const { rtt } = realm;
  rtt.walk(ipa, level);
  if (rtt.level !== level || entryState(rtt.word) !== EntryState.AssignedNs) {
    out.set(1, rtt.nextLive(ipa));
    return rmiResult(RmiStatus.ErrorRtt, rtt.level);
  }
  rtt.write(EntryState.Unassigned, 0);
  realm.invalidate(ipa, entrySpan(level));
  out.set(1, rtt.nextLive(ipa));
  return RmiStatus.Success;
}
