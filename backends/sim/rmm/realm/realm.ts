import type { Cpu } from '../../cpu/index.ts';
import { GRANULE_SIZE, type PhysicalMemory } from '../../machine/index.ts';
import type { Plane0Program } from '../abi/plane0.ts';
import { Measurements } from '../attestation/measurements.ts';
import type { GranuleTable } from './granule.ts';
import { OverlayPermissions } from './overlay.ts';
import { PlaneStage2, type RealmMemory } from './plane-stage2.ts';
import { Rtt, type RttRoot } from './rtt.ts';

/** Lifecycle of a realm (RMM specification, A2.1). */
export const RealmState = { New: 0, Active: 1, SystemOff: 2 } as const;
export type RealmState = (typeof RealmState)[keyof typeof RealmState];

/** RmiRealmParams, parsed and checked by REALM_CREATE. */
export interface RealmOptions {
  readonly root: RttRoot;
  /** A value of HashAlgorithm. */
  readonly hashAlgorithm: number;
  readonly numAuxPlanes: number;
  readonly atsPlane: number;
  /** 64 bytes. */
  readonly rpv: Uint8Array;
  /** VMIDs of plane 0 and of each auxiliary plane. */
  readonly vmids: readonly number[];
  /** Whether unprotected mappings encode their permissions as an index (RmiRealmParams.flags1.rtt_s2ap_encoding). */
  readonly s2apIndirect: boolean;
}

/** One realm: the content of its Realm Descriptor granule. */
export class Realm implements RealmMemory {
  /** Physical address of the Realm Descriptor. */
  readonly rd: number;
  readonly options: RealmOptions;
  readonly memory: PhysicalMemory;
  readonly granules: GranuleTable;
  readonly rtt: Rtt;
  readonly measurements: Measurements;
  readonly overlay: OverlayPermissions;
  /** One for each plane. */
  readonly stage2: readonly PlaneStage2[];
  state: RealmState = RealmState.New;
  plane0: Plane0Program | undefined;
  readonly #cpu: Cpu;

  constructor(rd: number, options: RealmOptions, memory: PhysicalMemory, granules: GranuleTable, cpu: Cpu) {
    this.rd = rd;
    this.options = options;
    this.memory = memory;
    this.granules = granules;
    this.#cpu = cpu;
    this.rtt = new Rtt(memory, granules, options.root);
    this.measurements = new Measurements(options.hashAlgorithm);
    this.overlay = new OverlayPermissions(this.planeCount);
    this.stage2 = Array.from({ length: this.planeCount }, (_, plane) => new PlaneStage2(this, plane));
  }

  get planeCount(): number {
    return 1 + this.options.numAuxPlanes;
  }

  /** Whether [base, top) consists of granules in the protected half. */
  isProtectedRange(base: number, top: number): boolean {
    return base >= 0 && base % GRANULE_SIZE === 0 && top % GRANULE_SIZE === 0 && top > base && top <= this.rtt.parTop;
  }

  /** Invalidates [ipa, ipa + bytes) in all planes' TLBs; unnecessary for a new realm, which has never run. */
  invalidate(ipa: number, bytes: number): void {
    if (this.state === RealmState.New) return;
    for (const stage2 of this.stage2) this.#cpu.invalidate(stage2, ipa, bytes);
  }
}
