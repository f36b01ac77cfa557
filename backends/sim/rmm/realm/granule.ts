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

/** Granules of a block: 2 MiB. */
const BLOCK = 512;

/** What is known of the granules of a block of DRAM. */
class GranuleBlock {
  readonly states = new Uint8Array(BLOCK);
  /** Of RTT granules: entries that are ASSIGNED or TABLE. */
  readonly live = new Uint16Array(BLOCK);
  /** 1 where a realm's TLB may hold a translation to the granule through an unprotected IPA. */
  readonly exposed = new Uint8Array(BLOCK);
}

/** The state of every granule of DRAM, most of which no realm ever comes to: making the table takes no time. */
export class GranuleTable {
  readonly #memory: PhysicalMemory;
  readonly #blocks: (GranuleBlock | undefined)[];
  readonly count: number;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
    this.count = Math.floor(memory.bytes / GRANULE_SIZE);
    this.#blocks = new Array<GranuleBlock | undefined>(Math.ceil(this.count / BLOCK)).fill(undefined);
  }

  /** Number of the granule at a physical address, or -1 where it is not aligned or not DRAM. */
  index(pa: number): number {
    if (pa % GRANULE_SIZE !== 0) return -1;
    return this.#memory.contains(pa, GRANULE_SIZE) ? (pa - this.#memory.base) / GRANULE_SIZE : -1;
  }

  /** State of the granule at a physical address, or -1 where there is none. */
  state(pa: number): GranuleState | -1 {
    const index = this.index(pa);
    if (index < 0) return -1;
    return (this.#blocks[Math.floor(index / BLOCK)]?.states[index % BLOCK] ?? GranuleState.Undelegated) as GranuleState;
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
    const block = this.#blockOf(index);
    block.states[index % BLOCK] = state;
    block.live[index % BLOCK] = 0;
  }

  wipe(pa: number): void {
    const offset = this.#memory.offsetOf(pa);
    this.#memory.linear.u8.fill(0, offset, offset + GRANULE_SIZE);
  }

  /** @param index of an RTT granule */
  live(index: number): number {
    return this.#blocks[Math.floor(index / BLOCK)]?.live[index % BLOCK] ?? 0;
  }

  addLive(index: number, delta: number): void {
    this.#blockOf(index).live[index % BLOCK] = this.live(index) + delta;
  }

  /** Notes that a TLB may hold a Normal world translation to this granule. */
  expose(index: number): void {
    this.#blockOf(index).exposed[index % BLOCK] = 1;
  }

  /** @returns whether TLBs must be cleaned of the granule, which it takes for done */
  takeExposed(pa: number): boolean {
    const index = this.index(pa);
    const block = this.#blocks[Math.floor(index / BLOCK)];
    if (block?.exposed[index % BLOCK] !== 1) return false;
    block.exposed[index % BLOCK] = 0;
    return true;
  }

  #blockOf(index: number): GranuleBlock {
    return (this.#blocks[Math.floor(index / BLOCK)] ??= new GranuleBlock());
  }
}
