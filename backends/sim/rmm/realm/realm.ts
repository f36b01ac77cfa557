import type { Cpu } from '../../cpu/index.ts';
import { GRANULE_SIZE, type PhysicalMemory } from '../../machine/index.ts';
import type { Plane0Program } from '../abi/plane0.ts';
import { Measurements } from '../attestation/measurements.ts';
import type { GranuleTable } from './granule.ts';
import { OverlayPermissions } from './overlay.ts';
import { PlaneStage2, type RealmMemory } from './plane-stage2.ts';
import { Rtt, type RttRoot } from './rtt.ts';

/** Life of a realm (RMM specification, A2.1). */
export const RealmState = { New: 0, Active: 1, SystemOff: 2 } as const;
export type RealmState = (typeof RealmState)[keyof typeof RealmState];

/** What REALM_CREATE made of RmiRealmParams. */
export interface RealmOptions {
  readonly root: RttRoot;
  /** Of HashAlgorithm. */
  readonly hashAlgorithm: number;
  readonly numAuxPlanes: number;
  readonly atsPlane: number;
  /** 64 bytes. */
  readonly rpv: Uint8Array;
  /** VMIDs of plane 0 and of each auxiliary plane. */
  readonly vmids: readonly number[];
  /** Whether unprotected mappings give their permissions by index (RmiRealmParams.flags1.rtt_s2ap_encoding). */
  readonly s2apIndirect: boolean;
}

/** One realm: what its Realm Descriptor granule stands for. */
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

  /** Whether [base, top) is granules of the protected half. */
  isProtectedRange(base: number, top: number): boolean {
    return base >= 0 && base % GRANULE_SIZE === 0 && top % GRANULE_SIZE === 0 && top > base && top <= this.rtt.parTop;
  }

  /** Makes every plane see a change of stage 2 in [ipa, ipa + bytes). A new realm has never run. */
  invalidate(ipa: number, bytes: number): void {
    if (this.state === RealmState.New) return;
    for (const stage2 of this.stage2) this.#cpu.invalidate(stage2, ipa, bytes);
  }
}
