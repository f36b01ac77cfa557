import { Permission, type Stage2, type Stage2Mapping } from '../../cpu/types.ts';
import { GRANULE_SIZE } from '../../machine/physical-memory.ts';
import { overlayPermissions } from './overlay.ts';
import type { Realm } from './realm.ts';
import { entryOverlay, entryRipas, entryState, EntryState, nsAccess } from './rtt-entry.ts';
import { entrySpan, LEAF_LEVEL } from './rtt.ts';
import { Ripas } from '../abi/status.ts';

/** Stage 2 as one plane of a realm sees it. It is its own answer, so that a TLB miss allocates nothing. */
export class PlaneStage2 implements Stage2, Stage2Mapping {
  readonly realm: Realm;
  readonly plane: number;
  offset = -1;
  permissions = 0;
  level = 0;

  constructor(realm: Realm, plane: number) {
    this.realm = realm;
    this.plane = plane;
  }

  /** @returns this object; valid until the next call */
  translate(ipa: number): Stage2Mapping {
    const { rtt } = this.realm;
    this.offset = -1;
    this.permissions = 0;
    this.level = 0;
    if (ipa >= rtt.ipaTop) return this;
    rtt.walk(ipa, LEAF_LEVEL);
    this.level = rtt.level;
    const { word } = rtt;
    const pa = rtt.address + ((Math.floor(ipa / GRANULE_SIZE) * GRANULE_SIZE) % entrySpan(rtt.level));
    if (ipa < rtt.parTop) this.#protected(word, pa);
    else this.#unprotected(word, pa);
    return this;
  }

  #protected(word: number, pa: number): void {
    if (entryState(word) !== EntryState.Assigned || entryRipas(word) !== Ripas.Ram) return;
    this.offset = this.realm.memory.offsetOf(pa);
    this.permissions = overlayPermissions(this.realm.overlay.value(this.plane, entryOverlay(word)));
  }

  /** Memory that is no longer in the Normal world gives a granule protection fault: no translation here. */
  #unprotected(word: number, pa: number): void {
    const { granules, memory } = this.realm;
    if (entryState(word) !== EntryState.AssignedNs || !granules.isNormal(pa)) return;
    granules.expose(granules.index(pa));
    this.offset = memory.offsetOf(pa);
    const access = nsAccess(word);
    this.permissions = (access & 1 ? Permission.R : 0) | (access & 2 ? Permission.W : 0);
  }
}
