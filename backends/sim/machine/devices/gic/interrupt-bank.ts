import type { InterruptGroup } from '../../../cpu/index.ts';

/** INTIDs of a PE's own: SGIs, then PPIs. */
export const PRIVATE_INTERRUPTS = 32;
/** INTIDs of SGIs, PPIs and SPIs: as many as QEMU's `virt` has. */
export const INTERRUPTS = 288;
/** The 5 bits of a priority that are implemented. */
const PRIORITY_MASK = 0xf8;

/** Bits that registers have for each INTID. */
export type StateBit = 'groups' | 'enabled' | 'latched' | 'active';

/** State of an `InterruptBank`: plain data. */
export interface BankState {
  readonly groups: Uint32Array;
  readonly enabled: Uint32Array;
  readonly latched: Uint32Array;
  readonly active: Uint32Array;
  readonly lines: Uint32Array;
  readonly edges: Uint32Array;
  readonly priorities: Uint8Array;
}

/** The state of the SPIs of a GIC, or of the SGIs and PPIs of one PE (IHI0069, 4.1 and 4.2). */
export class InterruptBank {
  readonly first: number;
  readonly end: number;
  readonly groups: Uint32Array;
  readonly enabled: Uint32Array;
  /** Pending by an edge or by a write to ISPENDR. */
  readonly latched: Uint32Array;
  readonly active: Uint32Array;
  /** Levels of the inputs. */
  readonly #lines: Uint32Array;
  readonly #edges: Uint32Array;
  readonly #priorities: Uint8Array;
  /** INTIDs before this one are edge-triggered for good. */
  readonly #sgiEnd: number;
  readonly #changed: () => void;

  /**
   * @param first a multiple of 32 @param end the INTID before which the bank ends, a multiple of 32
   * @param sgiEnd INTIDs before this one are SGIs @param changed called after each change
   */
  constructor(first: number, end: number, sgiEnd: number, changed: () => void) {
    // Bit n of word m is INTID first + 32 m + n.
    const bits = (): Uint32Array => new Uint32Array((end - first) / 32);
    this.first = first;
    this.end = end;
    this.groups = bits();
    this.enabled = bits();
    this.latched = bits();
    this.active = bits();
    this.#lines = bits();
    this.#edges = bits();
    this.#priorities = new Uint8Array(end - first);
    this.#sgiEnd = sgiEnd;
    this.#changed = changed;
    for (let intid = first; intid < sgiEnd; intid += 1) this.#assign(this.#edges, intid, true);
  }

  has(intid: number): boolean {
    return intid >= this.first && intid < this.end;
  }

  /** Whether each INTID of a word is pending. */
  pending(word: number): number {
    return ((this.latched[word] ?? 0) | ((this.#lines[word] ?? 0) & ~(this.#edges[word] ?? 0))) >>> 0;
  }

  /** Whether each INTID of a word is pending, enabled, not active and of one of the groups (bit n for group n). */
  candidates(word: number, groups: number): number {
    const group1 = this.groups[word] ?? 0;
    const inGroups = ((groups & 1) === 0 ? 0 : ~group1) | ((groups & 2) === 0 ? 0 : group1);
    return this.pending(word) & (this.enabled[word] ?? 0) & ~(this.active[word] ?? 0) & inGroups;
  }

  change(what: StateBit, word: number, clear: number, set: number): void {
    this[what][word] = ((this[what][word] ?? 0) & ~clear) | set;
    this.#changed();
  }

  priority(intid: number): number {
    return this.#priorities[intid - this.first] ?? 0;
  }
  setPriority(intid: number, priority: number): void {
    this.#priorities[intid - this.first] = priority & PRIORITY_MASK;
    this.#changed();
  }

  /** GICx_ICFGRn: bit 2 i + 1 is set for edge-triggered. @param intid the first of 16 */
  configuration(intid: number): number {
    let value = 0;
    for (let n = 0; n < 16; n += 1) if (this.#is(this.#edges, intid + n)) value |= 2 << (2 * n);
    return value >>> 0;
  }
  setConfiguration(intid: number, value: number): void {
    for (let n = 0; n < 16; n += 1) {
      if (intid + n >= this.#sgiEnd) this.#assign(this.#edges, intid + n, ((value >>> (2 * n)) & 2) !== 0);
    }
    this.#changed();
  }

  group(intid: number): InterruptGroup {
    return this.#is(this.groups, intid) ? 1 : 0;
  }

  acknowledge(intid: number): void {
    this.#assign(this.latched, intid, false);
    this.#assign(this.active, intid, true);
    this.#changed();
  }

  deactivate(intid: number): void {
    this.#assign(this.active, intid, false);
    this.#changed();
  }

  /** An edge. */
  latch(intid: number): void {
    this.#assign(this.latched, intid, true);
    this.#changed();
  }

  setLevel(intid: number, level: boolean): void {
    if (!this.has(intid) || this.#is(this.#lines, intid) === level) return;
    this.#assign(this.#lines, intid, level);
    if (level && this.#is(this.#edges, intid)) this.#assign(this.latched, intid, true);
    this.#changed();
  }

  save(): BankState {
    return structuredClone({
      groups: this.groups,
      enabled: this.enabled,
      latched: this.latched,
      active: this.active,
      lines: this.#lines,
      edges: this.#edges,
      priorities: this.#priorities,
    });
  }

  restore(state: BankState): void {
    this.groups.set(state.groups);
    this.enabled.set(state.enabled);
    this.latched.set(state.latched);
    this.active.set(state.active);
    this.#lines.set(state.lines);
    this.#edges.set(state.edges);
    this.#priorities.set(state.priorities);
    this.#changed();
  }

  #is(words: Uint32Array, intid: number): boolean {
    const at = intid - this.first;
    return (((words[at >>> 5] ?? 0) >>> (at & 31)) & 1) !== 0;
  }

  /** Ignores INTIDs that do not exist. */
  #assign(words: Uint32Array, intid: number, value: boolean): void {
    if (!this.has(intid)) return;
    const at = intid - this.first;
    const bit = 1 << (at & 31);
    const old = words[at >>> 5] ?? 0;
    words[at >>> 5] = value ? old | bit : old & ~bit;
  }
}
