import { GRANULE_SIZE } from '../../machine/index.ts';
import { Ripas } from '../abi/status.ts';
import type { Realm } from './realm.ts';
import { entryRipas, entryState, EntryState } from './rtt-entry.ts';
import { entrySpan, LEAF_LEVEL } from './rtt.ts';

/** Who handles a stage 2 abort. */
export const AbortTarget = {
  /** The plane gets a synchronous external abort. */
  Inject: 0,
  /** The host. */
  Host: 1,
  /** The host, at an unprotected IPA. */
  HostUnprotected: 2,
  /** Plane 0, if an auxiliary plane took the abort. */
  Plane0: 3,
  /** Nobody: the cause of the abort has been removed meanwhile. */
  None: 4,
} as const;
export type AbortTarget = (typeof AbortTarget)[keyof typeof AbortTarget];

/** Target of a data abort (RMM specification 1.1, A5.2, A5.4, A10.2). @param permission false: Translation fault */
export function dataAbortTarget(realm: Realm, plane: number, ipa: number, permission: boolean): AbortTarget {
  const { rtt } = realm;
  if (ipa >= rtt.ipaTop) return AbortTarget.Inject;
  rtt.walk(ipa, LEAF_LEVEL);
  const { word } = rtt;
  if (ipa >= rtt.parTop) {
    if (entryState(word) !== EntryState.AssignedNs) return AbortTarget.HostUnprotected;
    if (!realm.granules.isNormal(mappedPage(realm, ipa))) return AbortTarget.Inject;
    return permission ? AbortTarget.HostUnprotected : AbortTarget.None;
  }
  if (entryRipas(word) === Ripas.Empty) return plane === 0 ? AbortTarget.Inject : AbortTarget.Plane0;
  if (isUnmapped(word)) return AbortTarget.Host;
  if (!permission) return AbortTarget.None;
  return plane === 0 ? AbortTarget.Inject : AbortTarget.Plane0;
}

/** Target of an instruction abort. Only the protected half of the IPA space can be executed. */
export function instructionAbortTarget(realm: Realm, plane: number, ipa: number, permission: boolean): AbortTarget {
  const { rtt } = realm;
  const refused = plane === 0 ? AbortTarget.Inject : AbortTarget.Plane0;
  if (ipa >= rtt.parTop) return refused;
  rtt.walk(ipa, LEAF_LEVEL);
  const { word } = rtt;
  if (entryRipas(word) === Ripas.Empty) return refused;
  if (isUnmapped(word)) return AbortTarget.Host;
  return permission ? refused : AbortTarget.None;
}

function isUnmapped(word: number): boolean {
  return entryState(word) !== EntryState.Assigned || entryRipas(word) !== Ripas.Ram;
}

function mappedPage({ rtt }: Realm, ipa: number): number {
  return rtt.address + ((Math.floor(ipa / GRANULE_SIZE) * GRANULE_SIZE) % entrySpan(rtt.level));
}
