import type { Cpu } from '../../cpu/index.ts';
import { GRANULE_SIZE, type PhysicalMemory } from '../../machine/index.ts';
import type { RmmModel } from '../abi/model.ts';
import { GranuleState, GranuleTable } from '../realm/granule.ts';
import type { Realm } from '../realm/realm.ts';
import type { Rec } from './rec.ts';
import { VcpuPool } from './vcpu-pool.ts';

/** Length of a REC_ENTER in guest instructions, unless the host sets its timer. */
const DEFAULT_SLICE = 1_000_000;

/** The RMM's state of one machine. */
export class RmmState {
  readonly memory: PhysicalMemory;
  readonly cpu: Cpu;
  readonly granules: GranuleTable;
  /** By physical address of the Realm Descriptor. */
  readonly realms = new Map<number, Realm>();
  readonly vmids = new Set<number>();
  readonly vcpus: VcpuPool;
  /** Whether to answer like TF-RMM instead of the specification. */
  readonly asTfRmm: boolean;
  /** The host's timer: guest instructions after which a REC_ENTER is interrupted. */
  slice = DEFAULT_SLICE;
  /** What is left of `slice` in the current REC_ENTER. */
  budget = 0;
  /** By physical address of the REC. */
  readonly #recs = new Map<number, Rec>();
  readonly #recsOfRealms = new WeakMap<Realm, (Rec | undefined)[]>();

  constructor(memory: PhysicalMemory, cpu: Cpu, model: RmmModel) {
    this.memory = memory;
    this.cpu = cpu;
    this.granules = new GranuleTable(memory);
    this.vcpus = new VcpuPool(cpu);
    this.asTfRmm = model === 'tf-rmm';
  }

  get view(): DataView {
    return this.memory.linear.view;
  }

  realm(rd: number): Realm | undefined {
    return this.realms.get(rd);
  }

  rec(pa: number): Rec | undefined {
    return this.#recs.get(pa);
  }

  /** All RECs that a realm ever had, by index; a destroyed one leaves a hole. The array object never changes. */
  recsOf(realm: Realm): readonly (Rec | undefined)[] {
    return this.#listOf(realm);
  }

  /** @param rec with the next index of its realm: the length of `recsOf` */
  addRec(rec: Rec): void {
    this.#recs.set(rec.pa, rec);
    this.#listOf(rec.realm).push(rec);
  }

  removeRec(rec: Rec): void {
    this.#recs.delete(rec.pa);
    this.#listOf(rec.realm)[rec.index] = undefined;
  }

  isDelegated(pa: number): boolean {
    return this.granules.is(pa, GranuleState.Delegated);
  }

  /** Bytes of a granule that exists. */
  page(pa: number): Uint8Array {
    return this.memory.bytesAt(pa, GRANULE_SIZE);
  }

  #listOf(realm: Realm): (Rec | undefined)[] {
    let recs = this.#recsOfRealms.get(realm);
    if (recs === undefined) {
      recs = [];
      this.#recsOfRealms.set(realm, recs);
    }
    return recs;
  }
}
