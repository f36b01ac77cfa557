import { Permission, type Stage2, type Stage2Mapping } from '../../cpu/index.ts';
import { GRANULE_SIZE, type PhysicalMemory } from '../../machine/index.ts';
import { Ripas } from '../abi/status.ts';
import type { GranuleTable } from './granule.ts';
import { type OverlayPermissions, overlayPermissions } from './overlay.ts';
import { entryOverlay, entryRipas, entryState, EntryState, nsAccess } from './rtt-entry.ts';
import { entrySpan, LEAF_LEVEL, type Rtt } from './rtt.ts';

/** The parts of a realm that its planes' stage 2 reads. */
export interface RealmMemory {
  readonly memory: PhysicalMemory;
  readonly granules: GranuleTable;
  readonly rtt: Rtt;
  readonly overlay: OverlayPermissions;
}

/**
 * Stage 2 of one plane of a realm. `translate` returns this object itself, so that a TLB miss allocates nothing.
 */
export class PlaneStage2 implements Stage2, Stage2Mapping {
  readonly realm: RealmMemory;
  readonly plane: number;
  offset = -1;
  permissions = 0;
  level = 0;

  constructor(realm: RealmMemory, plane: number) {
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

  /** Memory that has left the Normal world would cause a granule protection fault: here, no translation. */
  #unprotected(word: number, pa: number): void {
    const { granules, memory } = this.realm;
    if (entryState(word) !== EntryState.AssignedNs || !granules.isNormal(pa)) return;
    granules.expose(granules.index(pa));
    this.offset = memory.offsetOf(pa);
    const access = nsAccess(word);
    this.permissions = (access & 1 ? Permission.R : 0) | (access & 2 ? Permission.W : 0);
  }
}
