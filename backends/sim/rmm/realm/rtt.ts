import { GRANULE_SIZE, type PhysicalMemory } from '../../machine/index.ts';
import type { GranuleTable } from './granule.ts';
import {
  ENTRIES,
  ENTRY_BYTES,
  entryAddress,
  entryKind,
  entryState,
  EntryState,
  firstWord,
  secondWord,
} from './rtt-entry.ts';

export const LEAF_LEVEL = 3;
/** Lowest level at which an entry may map memory. */
export const MIN_BLOCK_LEVEL = 1;

/** Bytes that one entry spans at levels 0 to 3; a table spans as much as an entry of the level above. */
const SPANS = [2 ** 39, 2 ** 30, 2 ** 21, 2 ** 12] as const;

export function entrySpan(level: number): number {
  return SPANS[level] ?? 2 ** 48;
}

/** The root of a walk: RmiRealmParams.rtt_base and related fields. */
export interface RttRoot {
  readonly ipaWidth: number;
  readonly startLevel: number;
  readonly base: number;
  readonly count: number;
}

/** Whether IPA width, start level and number of concatenated tables are consistent. */
export function isConsistentRoot(ipaWidth: number, startLevel: number, count: number): boolean {
  if (startLevel < 0 || startLevel > 2) return false;
  const entryBits = 12 + 9 * (LEAF_LEVEL - startLevel);
  if (ipaWidth <= entryBits || ipaWidth > entryBits + 9 + 4) return false;
  return count === 2 ** Math.max(0, ipaWidth - entryBits - 9);
}

/** The stage-2 translation tables of one realm, in granules of simulated physical memory. */
export class Rtt {
  readonly root: RttRoot;
  /** End of the IPA space, and of its protected half. */
  readonly ipaTop: number;
  readonly parTop: number;
  /** Where the last walk ended: the level, and the offset of the entry in linear memory. */
  level = 0;
  entry = 0;

  readonly #memory: PhysicalMemory;
  readonly #granules: GranuleTable;
  readonly #view: DataView;
  readonly #rootOffset: number;

  constructor(memory: PhysicalMemory, granules: GranuleTable, root: RttRoot) {
    this.#memory = memory;
    this.#granules = granules;
    this.#view = memory.linear.view;
    this.#rootOffset = memory.offsetOf(root.base);
    this.root = root;
    this.ipaTop = 2 ** root.ipaWidth;
    this.parTop = this.ipaTop / 2;
  }

  /** Walks down to `level`, or to the first entry that is not a TABLE. @param ipa below `ipaTop` */
  walk(ipa: number, level: number): void {
    const view = this.#view;
    let at = this.root.startLevel;
    let entry = this.#rootOffset + Math.floor(ipa / entrySpan(at)) * ENTRY_BYTES;
    while (at < level) {
      const first = view.getUint32(entry, true);
      if (entryState(first) !== EntryState.Table) break;
      at++;
      const table = this.#memory.offsetOf(entryAddress(first, view.getUint32(entry + 4, true)));
      entry = table + (Math.floor(ipa / entrySpan(at)) % ENTRIES) * ENTRY_BYTES;
    }
    this.level = at;
    this.entry = entry;
  }

  /** First word of the entry at which the walk ended. */
  get word(): number {
    return this.#view.getUint32(this.entry, true);
  }

  get isTable(): boolean {
    return entryState(this.word) === EntryState.Table;
  }

  /** Physical address in the entry at which the walk ended. */
  get address(): number {
    return this.#addressAt(this.entry);
  }

  /** Replaces the entry at which the walk ended, and updates the live count of its table. */
  write(kind: number, pa: number): void {
    this.#writeAt(this.entry, kind, pa);
  }

  /** Replaces state, RIPAS, overlay index and attributes of the entry at which the walk ended. */
  writeKind(kind: number): void {
    this.write(kind, this.address);
  }

  /** Advances to the next entry of the table. @returns false at its end */
  next(): boolean {
    if (this.#indexInTable() === ENTRIES - 1) return false;
    this.entry += ENTRY_BYTES;
    return true;
  }

  /**
   * First live address at or after the address of the last walk, or the end of the table. Every entry that is not
   * unassigned is reported, so that a host which skips to the result misses nothing.
   *
   * @param ipa address of the last walk
   */
  nextLive(ipa: number): number {
    if (entryState(this.word) !== EntryState.Unassigned) return ipa;
    const span = entrySpan(this.level);
    let at = Math.floor(ipa / span) * span;
    for (let index = this.#indexInTable(), entry = this.entry; index < ENTRIES; index++, entry += ENTRY_BYTES) {
      if (entryState(this.#view.getUint32(entry, true)) !== EntryState.Unassigned) return at;
      at += span;
    }
    return at;
  }

  isTableLive(pa: number): boolean {
    return this.#granules.live(this.#granules.index(pa)) !== 0;
  }

  get isRootLive(): boolean {
    for (let table = 0; table < this.root.count; table++) {
      if (this.isTableLive(this.root.base + table * GRANULE_SIZE)) return true;
    }
    return false;
  }

  /** Fills a new table with the content of the entry at which the walk ended, and makes that entry a TABLE. */
  unfold(table: number): void {
    const kind = entryKind(this.word);
    const pa = this.address;
    const offset = this.#memory.offsetOf(table);
    const span = entrySpan(this.level + 1);
    const mapped = entryState(kind) !== EntryState.Unassigned;
    if (kind === 0) this.#granules.wipe(table);
    else {
      for (let index = 0; index < ENTRIES; index++) {
        const child = mapped ? pa + index * span : 0;
        this.#view.setUint32(offset + index * ENTRY_BYTES, firstWord(kind, child), true);
        this.#view.setUint32(offset + index * ENTRY_BYTES + 4, secondWord(child), true);
      }
    }
    if (entryState(kind) === EntryState.Assigned) this.#granules.addLive(this.#granules.index(table), ENTRIES);
    this.write(EntryState.Table, table);
  }

  /** The entry that could replace a whole table; undefined if its entries differ (A5.5.7). */
  folded(table: number, level: number): { kind: number; pa: number } | undefined {
    const offset = this.#memory.offsetOf(table);
    const kind = entryKind(this.#view.getUint32(offset, true));
    const state = entryState(kind);
    const pa = this.#addressAt(offset);
    const span = entrySpan(level);
    if (state === EntryState.Table) return undefined;
    const mapped = state !== EntryState.Unassigned;
    if (mapped && (level - 1 < MIN_BLOCK_LEVEL || pa % (span * ENTRIES) !== 0)) return undefined;
    for (let index = 1; index < ENTRIES; index++) {
      const entry = offset + index * ENTRY_BYTES;
      if (entryKind(this.#view.getUint32(entry, true)) !== kind) return undefined;
      if (mapped && this.#addressAt(entry) !== pa + index * span) return undefined;
    }
    return { kind, pa: mapped ? pa : 0 };
  }

  #indexInTable(): number {
    return ((this.entry - this.#memory.offset) % GRANULE_SIZE) / ENTRY_BYTES;
  }

  #addressAt(entry: number): number {
    return entryAddress(this.#view.getUint32(entry, true), this.#view.getUint32(entry + 4, true));
  }

  #writeAt(entry: number, kind: number, pa: number): void {
    const before = isLive(this.#view.getUint32(entry, true));
    const after = isLive(kind);
    if (before !== after) {
      const table = Math.floor((entry - this.#memory.offset) / GRANULE_SIZE);
      this.#granules.addLive(table, after ? 1 : -1);
    }
    this.#view.setUint32(entry, firstWord(kind, pa), true);
    this.#view.setUint32(entry + 4, secondWord(pa), true);
  }
}

/** Whether an entry keeps its table alive: mappings of Normal world memory do not. */
function isLive(word: number): boolean {
  const state = entryState(word);
  return state === EntryState.Assigned || state === EntryState.Table;
}
