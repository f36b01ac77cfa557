import { GRANULE_SIZE, type PhysicalMemory } from '../../machine/index.ts';

/**
 * What a granule of physical memory is used for (RMM specification, A2.2). Anything but Undelegated is in the Realm
 * PAS.
 */
export const GranuleState = {
  Undelegated: 0,
  Delegated: 1,
  Rd: 2,
  Rec: 3,
  RecAux: 4,
  Data: 5,
  Rtt: 6,
} as const;
export type GranuleState = (typeof GranuleState)[keyof typeof GranuleState];

/** The state of every granule of DRAM. */
export class GranuleTable {
  readonly #memory: PhysicalMemory;
  readonly #states: Uint8Array;
  /** Of RTT granules: entries that are ASSIGNED or TABLE. */
  readonly #live: Uint16Array;
  /** 1 where a realm's TLB may hold a translation to the granule through an unprotected IPA. */
  readonly #exposed: Uint8Array;

  constructor(memory: PhysicalMemory) {
    const count = Math.floor(memory.bytes / GRANULE_SIZE);
    this.#memory = memory;
    this.#states = new Uint8Array(count);
    this.#live = new Uint16Array(count);
    this.#exposed = new Uint8Array(count);
  }

  get count(): number {
    return this.#states.length;
  }

  /** Number of the granule at a physical address, or -1 where it is not aligned or not DRAM. */
  index(pa: number): number {
    if (pa % GRANULE_SIZE !== 0) return -1;
    return this.#memory.contains(pa, GRANULE_SIZE) ? (pa - this.#memory.base) / GRANULE_SIZE : -1;
  }

  /** State of the granule at a physical address, or -1 where there is none. */
  state(pa: number): GranuleState | -1 {
    const index = this.index(pa);
    return index < 0 ? -1 : ((this.#states[index] ?? -1) as GranuleState | -1);
  }

  is(pa: number, state: GranuleState): boolean {
    return this.state(pa) === state;
  }

  /** True for a whole granule in the Normal world: what the host may hand over as a buffer. */
  isNormal(pa: number): boolean {
    return this.state(pa) === GranuleState.Undelegated;
  }

  /** @param pa of a granule that exists */
  set(pa: number, state: GranuleState): void {
    const index = this.index(pa);
    this.#states[index] = state;
    this.#live[index] = 0;
  }

  wipe(pa: number): void {
    const offset = this.#memory.offsetOf(pa);
    this.#memory.linear.u8.fill(0, offset, offset + GRANULE_SIZE);
  }

  /** @param index of an RTT granule */
  live(index: number): number {
    return this.#live[index] ?? 0;
  }

  addLive(index: number, delta: number): void {
    this.#live[index] = this.live(index) + delta;
  }

  /** Notes that a TLB may hold a Normal world translation to this granule. */
  expose(index: number): void {
    this.#exposed[index] = 1;
  }

  /** @returns whether TLBs must be cleaned of the granule, which it takes for done */
  takeExposed(pa: number): boolean {
    const index = this.index(pa);
    const exposed = this.#exposed[index] === 1;
    this.#exposed[index] = 0;
    return exposed;
  }
}
