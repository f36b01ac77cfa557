import { GRANULE_SIZE, type PhysicalMemory } from '../../machine/index.ts';

/** Use of a granule of physical memory (RMM specification, A2.2). All but Undelegated are in the Realm PAS. */
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

/** Granules in a block: 2 MiB. */
const BLOCK = 512;

/** States of the granules in a block of DRAM. */
class GranuleBlock {
  readonly states = new Uint8Array(BLOCK);
  /** For RTT granules: number of entries that are ASSIGNED or TABLE. */
  readonly live = new Uint16Array(BLOCK);
  /** 1 if a realm's TLB may hold a translation to the granule from an unprotected IPA. */
  readonly exposed = new Uint8Array(BLOCK);
}

/** The state of every granule of DRAM. Blocks are made when first used, so creating the table takes no time. */
export class GranuleTable {
  readonly #memory: PhysicalMemory;
  readonly #blocks: (GranuleBlock | undefined)[];
  readonly count: number;

  constructor(memory: PhysicalMemory) {
    this.#memory = memory;
    this.count = Math.floor(memory.bytes / GRANULE_SIZE);
    this.#blocks = new Array<GranuleBlock | undefined>(Math.ceil(this.count / BLOCK)).fill(undefined);
  }

  /** Number of the granule at a physical address; -1 if it is not aligned or not in DRAM. */
  index(pa: number): number {
    if (pa % GRANULE_SIZE !== 0) return -1;
    return this.#memory.contains(pa, GRANULE_SIZE) ? (pa - this.#memory.base) / GRANULE_SIZE : -1;
  }

  /** State of the granule at a physical address; -1 if there is none. */
  state(pa: number): GranuleState | -1 {
    const index = this.index(pa);
    if (index < 0) return -1;
    return (this.#blocks[Math.floor(index / BLOCK)]?.states[index % BLOCK] ?? GranuleState.Undelegated) as GranuleState;
  }

  is(pa: number, state: GranuleState): boolean {
    return this.state(pa) === state;
  }

  /** Whether it is a granule of the Normal world, which the host may pass as a buffer. */
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

  /** Records that a TLB may hold a Normal world translation to this granule. */
  expose(index: number): void {
    this.#blockOf(index).exposed[index % BLOCK] = 1;
  }

  /** Clears the record of `expose`. @returns whether the caller must invalidate TLBs */
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
