import { Cost, type Effort } from '../effort.ts';
import { TLB_SETS, VcpuState } from '../layout.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { TlbSet } from './tlb-set.ts';

const PAGE_BITS = 12;
/** In place of an entry: more than one lets stores reach the page. */
const SEVERAL = 1;

/** The TLBs of a machine, which its contexts take as they need them and lose when others need them more. */
export class TlbPool {
  /** The set of those who have none: it never holds anything. */
  readonly empty: TlbSet;
  readonly #memory: LinearMemory;
  readonly #effort: Effort;
  /** All but the empty one that were ever used. */
  readonly #sets: TlbSet[] = [];
  readonly #free: TlbSet[] = [];
  /** By page of linear memory: the entry that lets stores reach it, `SEVERAL`, or 0. Entries may have changed since. */
  readonly #stores: Uint32Array;
  #time = 0;

  constructor(memory: LinearMemory, effort: Effort) {
    this.#memory = memory;
    this.#effort = effort;
    this.#stores = new Uint32Array(memory.bytes >>> PAGE_BITS);
    this.empty = new TlbSet(memory, 0);
    this.empty.clear();
  }

  /** Takes a set without entries. @param onRelease called when it goes to somebody else */
  acquire(onRelease: () => void): TlbSet {
    const set = this.#free.pop() ?? this.#another();
    this.#effort.spent += set.full ? Cost.Page : Cost.Event;
    set.clear();
    set.onRelease = onRelease;
    this.select(set);
    return set;
  }

  /** Notes that a set is in use. */
  select(set: TlbSet): void {
    set.used = this.#time += 1;
  }

  /** Takes a set from its user. */
  release(set: TlbSet): void {
    const { onRelease } = set;
    if (onRelease === undefined) return;
    set.onRelease = undefined;
    this.#free.push(set);
    onRelease();
  }

  #another(): TlbSet {
    if (this.#sets.length < TLB_SETS - 1) {
      const made = new TlbSet(this.#memory, this.#sets.length + 1);
      this.#sets.push(made);
      return made;
    }
    const { u32 } = this.#memory;
    const [current, el0] = [u32[VcpuState.Tlb >> 2], u32[VcpuState.El0Tlb >> 2]];
    const oldest = this.#sets
      .filter(({ tlb }) => tlb !== current && tlb !== el0)
      .reduce((found, set) => (set.used < found.used ? set : found));
    oldest.onRelease?.();
    return oldest;
  }

  /** Takes every set from its user, for another machine. */
  reset(): void {
    for (const set of this.#sets) this.release(set);
    this.#time = 0;
  }

  /** To be called when an entry lets stores reach a page. */
  letsStores(entry: number, offset: number): void {
    const page = offset >>> PAGE_BITS;
    const known = this.#stores[page] ?? 0;
    if (known === entry || known === SEVERAL) return;
    const replaces = known === 0 || !this.empty.storesTo(known, offset);
    this.#stores[page] = replaces ? entry : SEVERAL;
  }

  /** Has all stores to a page take the slow path, because code was found on it. */
  guard(offset: number): void {
    const page = offset >>> PAGE_BITS;
    const known = this.#stores[page] ?? 0;
    this.#stores[page] = 0;
    if (known === 0) return;
    if (known !== SEVERAL) {
      this.empty.forbidStores(known, offset);
      return;
    }
    for (const set of this.#inUse()) {
      this.#effort.spent += Cost.Page;
      set.forbidAllStores(offset);
    }
  }

  /** Takes the records of a page of code from generated code. */
  dropRecords(va: number, records: number): void {
    for (const set of this.#inUse()) set.dropRecords(va, records);
  }

  /** Takes all records from generated code. */
  dropAllRecords(): void {
    for (const set of this.#inUse()) set.dropAllRecords();
  }

  #inUse(): TlbSet[] {
    return this.#sets.filter(({ onRelease }) => onRelease !== undefined);
  }
}
