import { Itlb, ITLB_BYTES, Tlb, TLB_BYTES, tlbSetAt } from '../layout.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { Access, type Translation } from './regime.ts';

const PAGE = 4096;
const PAGE_BITS = 12;
const HIGH = 2 ** 32;
const NONE = 0xffff_ffff;
/** Bits of `Info` of an entry; the lower ones are those of `Access` that it permits. */
const Info = { Allowed: 7, Global: 1 << 4, Device: 1 << 5, SpanShift: 8 } as const;
/** Entries that are remembered one by one; a TLB into which more were filled is cleared as a whole. */
const MAX_REMEMBERED = 96;
/** Blocks that are remembered by address; with more, every maintenance by address looks at all entries. */
const MAX_BLOCKS = 4096;

/**
 * The TLBs of one Exception level in one address space, in linear memory. Both are direct mapped, by pages of 4 KiB.
 */
export class TlbSet {
  readonly index: number;
  /** Addresses of the data TLB and the instruction TLB. */
  readonly tlb: number;
  readonly itlb: number;
  /** Whether the instruction TLB holds code that was decoded with access to SIMD&FP. */
  simd = false;
  /** When it was last selected, for replacement. */
  used = 0;
  /** Takes the set from whoever uses it; undefined while nobody does. */
  onRelease: (() => void) | undefined;
  readonly #memory: LinearMemory;
  readonly #filled = new Uint16Array(MAX_REMEMBERED);
  readonly #fetched = new Uint16Array(MAX_REMEMBERED);
  #fills = 0;
  #fetches = 0;
  /** log2 of the sizes of pages and blocks above 4 KiB that entries are part of. */
  #spans: number[] = [];
  /** Blocks that entries are part of, by `blockKey`; undefined if there are too many. */
  #blocks: Set<number> | undefined = new Set();

  constructor(memory: LinearMemory, index: number) {
    this.#memory = memory;
    this.index = index;
    const { tlb, itlb } = tlbSetAt(index);
    this.tlb = tlb;
    this.itlb = itlb;
  }

  /** Whether clearing it takes long. */
  get full(): boolean {
    return this.#fills > MAX_REMEMBERED || this.#fetches > MAX_REMEMBERED;
  }

  /**
   * Drops every entry. Memory that was never used holds zeros, which are the tag of page 0 only: entry 0 alone must be
   * told from it.
   */
  clear(): void {
    const { u8 } = this.#memory;
    if (this.#fills > MAX_REMEMBERED) u8.fill(0, this.tlb, this.tlb + TLB_BYTES);
    else for (let at = 0; at < this.#fills; at += 1) this.#drop(this.#filled[at] ?? 0);
    if (this.#fetches > MAX_REMEMBERED) u8.fill(0, this.itlb, this.itlb + ITLB_BYTES);
    else for (let at = 0; at < this.#fetches; at += 1) this.#dropFetch(this.#fetched[at] ?? 0);
    this.#drop(0);
    this.#dropFetch(0);
    this.#fills = this.#fetches = 0;
    if (this.#spans.length > 0) {
      this.#spans = [];
      this.#blocks = new Set();
    }
  }

  /**
   * The place of an access that misses the TLB of generated code, but whose translation is in it: it is misaligned, or
   * a store to a page of code.
   *
   * @param access bits of `Access`
   * @returns -1 if it is not there or not permitted
   */
  find(address: number, access: number): number {
    const { u32, i32 } = this.#memory;
    const low = (address & ~(PAGE - 1)) >>> 0;
    const entry = (this.tlb + dataIndex(address) * Tlb.EntryBytes) >> 2;
    if (u32[entry] !== low || i32[entry + 1] !== Math.floor(address / HIGH)) return -1;
    const info = u32[entry + Tlb.Info / 4] ?? 0;
    if ((info & access & Info.Allowed) !== (access & Info.Allowed)) return -1;
    if ((access & Access.Misaligned) !== 0 && (info & Info.Device) !== 0) return -1;
    return ((address | 0) + (i32[entry + Tlb.Addend / 4] ?? 0)) >>> 0;
  }

  /**
   * Enters a translation of data.
   *
   * @param address any in the page
   * @param writable whether stores need not be seen
   * @returns address of the entry
   */
  fill(address: number, translation: Translation, writable: boolean): number {
    const { u32, i32 } = this.#memory;
    const { place, allowed } = translation;
    const page = (address & ~(PAGE - 1)) >>> 0;
    const high = Math.floor(address / HIGH);
    const index = dataIndex(address);
    const entry = this.tlb + index * Tlb.EntryBytes;
    const at = entry >> 2;
    const readable = (allowed & Access.Read) !== 0;
    // Pages that cannot be read always take the slow path.
    const stores = readable && writable && (allowed & Access.Write) !== 0;
    u32[at] = readable ? page : NONE;
    i32[at + 1] = readable ? high : -1;
    u32[at + 2] = stores ? page : NONE;
    i32[at + 3] = stores ? high : -1;
    const zeroes = stores && !translation.device;
    u32[at + Tlb.ZeroTag / 4] = zeroes ? page : NONE;
    i32[at + Tlb.ZeroTag / 4 + 1] = zeroes ? high : -1;
    i32[at + Tlb.Addend / 4] = (place & ~(PAGE - 1)) - page;
    u32[at + Tlb.Info / 4] = this.#info(address, translation);
    if (this.#fills < MAX_REMEMBERED) this.#filled[this.#fills] = index;
    if (this.#fills <= MAX_REMEMBERED) this.#fills += 1;
    return entry;
  }

  /** Lets stores to the page of an entry that permits them take the fast path. @returns address of the entry */
  permitStores(address: number): number {
    const { u32 } = this.#memory;
    const entry = this.tlb + dataIndex(address) * Tlb.EntryBytes;
    const at = entry >> 2;
    u32[at + 2] = u32[at] ?? NONE;
    u32[at + 3] = u32[at + 1] ?? NONE;
    if (((u32[at + Tlb.Info / 4] ?? 0) & Info.Device) === 0) {
      u32[at + Tlb.ZeroTag / 4] = u32[at] ?? NONE;
      u32[at + Tlb.ZeroTag / 4 + 1] = u32[at + 1] ?? NONE;
    }
    return entry;
  }

  /** Has stores to a place take the slow path, if this entry lets them. @param entry address @param offset of a page */
  forbidStores(entry: number, offset: number): void {
    if (!this.storesTo(entry, offset)) return;
    for (const tag of [Tlb.WriteTag, Tlb.ZeroTag]) {
      const at = (entry + tag) >> 2;
      this.#memory.u32[at] = this.#memory.u32[at + 1] = NONE;
    }
  }

  /** Has all stores to a page in linear memory take the slow path. */
  forbidAllStores(offset: number): void {
    for (let index = 0; index < Tlb.Entries; index += 1) this.forbidStores(this.tlb + index * Tlb.EntryBytes, offset);
  }

  /** Whether an entry lets stores reach a page in linear memory. */
  storesTo(entry: number, offset: number): boolean {
    const { i32 } = this.#memory;
    return (((i32[(entry + Tlb.WriteTag) >> 2] ?? 0) + (i32[(entry + Tlb.Addend) >> 2] ?? 0)) | 0) === (offset | 0);
  }

  /** The place of a page of code, whatever became of its records; -1 if it is not there. @param va of the page */
  findFetch(va: number): number {
    const { u32, i32 } = this.#memory;
    const at = (this.itlb + fetchIndex(va) * Itlb.EntryBytes) >> 2;
    const tag = at + Itlb.PlaceTag / 4;
    if (u32[tag] !== va >>> 0 || i32[tag + 1] !== Math.floor(va / HIGH)) return -1;
    return u32[at + Itlb.Place / 4] ?? -1;
  }

  /** Enters a translation of an instruction fetch. @param va of the page */
  fillFetch(va: number, translation: Translation): void {
    const { u32, i32 } = this.#memory;
    const index = fetchIndex(va);
    const at = (this.itlb + index * Itlb.EntryBytes) >> 2;
    const { place } = translation;
    u32[at] = u32[at + 1] = NONE;
    u32[at + Itlb.Place / 4] = place - (place & (PAGE - 1));
    u32[at + Itlb.PlaceTag / 4] = va;
    i32[at + Itlb.PlaceTag / 4 + 1] = Math.floor(va / HIGH);
    u32[at + Itlb.Info / 4] = this.#info(va, translation);
    u32[at + Itlb.Guarded / 4] = translation.guarded === true ? 1 : 0;
    if (this.#fetches < MAX_REMEMBERED) this.#fetched[this.#fetches] = index;
    if (this.#fetches <= MAX_REMEMBERED) this.#fetches += 1;
  }

  /** Gives generated code the records of a page whose translation was entered. */
  setRecords(va: number, records: number): void {
    const { u32, i32 } = this.#memory;
    const at = (this.itlb + fetchIndex(va) * Itlb.EntryBytes) >> 2;
    u32[at] = va;
    i32[at + 1] = Math.floor(va / HIGH);
    u32[at + Itlb.Records / 4] = records;
  }

  /** Takes the records of a page from generated code. */
  dropRecords(va: number, records: number): void {
    const { u32 } = this.#memory;
    const at = (this.itlb + fetchIndex(va) * Itlb.EntryBytes) >> 2;
    if (u32[at + Itlb.Records / 4] === records) u32[at] = u32[at + 1] = NONE;
  }

  /** Takes all records from generated code. */
  dropAllRecords(): void {
    const { u32 } = this.#memory;
    const drop = (index: number): void => {
      const at = (this.itlb + index * Itlb.EntryBytes) >> 2;
      u32[at] = u32[at + 1] = NONE;
    };
    if (this.#fetches > MAX_REMEMBERED) for (let index = 0; index < Itlb.Entries; index += 1) drop(index);
    else for (let at = 0; at < this.#fetches; at += 1) drop(this.#fetched[at] ?? 0);
  }

  /**
   * Drops the entries of a range of addresses, and of all pages and blocks of stage 1 that overlap it.
   *
   * @param globalOnly only entries that are for all ASIDs
   */
  dropRange(start: number, bytes: number, globalOnly: boolean): void {
    const end = start + bytes;
    let [from, to] = [start, end];
    for (const bits of this.#spans) {
      const span = 2 ** bits;
      // Only the first and the last block reach beyond the range.
      for (const block of [Math.floor(start / span) * span, Math.floor((end - 1) / span) * span]) {
        if (this.#blocks !== undefined && !this.#blocks.has(blockKey(block, bits))) continue;
        from = Math.min(from, block);
        to = Math.max(to, block + span);
      }
    }
    const pages = (to - from) / PAGE;
    if (pages < Tlb.Entries) {
      for (let va = from; va < to; va += PAGE) this.#dropIf(dataIndex(va), from, to, globalOnly);
    } else for (let index = 0; index < Tlb.Entries; index += 1) this.#dropIf(index, from, to, globalOnly);
    if (pages < Itlb.Entries) {
      for (let va = from; va < to; va += PAGE) this.#dropFetchIf(fetchIndex(va), from, to, globalOnly);
    } else for (let index = 0; index < Itlb.Entries; index += 1) this.#dropFetchIf(index, from, to, globalOnly);
  }

  #dropIf(index: number, from: number, to: number, globalOnly: boolean): void {
    const { u32, i32 } = this.#memory;
    const at = (this.tlb + index * Tlb.EntryBytes) >> 2;
    if (globalOnly && ((u32[at + Tlb.Info / 4] ?? 0) & Info.Global) === 0) return;
    const va = (i32[at + 1] ?? 0) * HIGH + (u32[at] ?? 0);
    if (va >= from && va < to) this.#drop(index);
  }
  #drop(index: number): void {
    const at = (this.tlb + index * Tlb.EntryBytes) >> 2;
    this.#memory.u32.fill(NONE, at, at + 4);
    this.#memory.u32.fill(NONE, at + Tlb.ZeroTag / 4, at + Tlb.ZeroTag / 4 + 2);
  }
  #dropFetchIf(index: number, from: number, to: number, globalOnly: boolean): void {
    const { u32, i32 } = this.#memory;
    const at = (this.itlb + index * Itlb.EntryBytes) >> 2;
    if (globalOnly && ((u32[at + Itlb.Info / 4] ?? 0) & Info.Global) === 0) return;
    const tag = at + Itlb.PlaceTag / 4;
    const va = (i32[tag + 1] ?? 0) * HIGH + (u32[tag] ?? 0);
    if (va >= from && va < to) this.#dropFetch(index);
  }
  #dropFetch(index: number): void {
    const { u32 } = this.#memory;
    const at = (this.itlb + index * Itlb.EntryBytes) >> 2;
    u32[at] = u32[at + 1] = u32[at + Itlb.PlaceTag / 4] = u32[at + Itlb.PlaceTag / 4 + 1] = NONE;
  }

  #info(address: number, { allowed, global, device, spanBits }: Translation): number {
    if (spanBits > PAGE_BITS) this.#remember(address, spanBits);
    return allowed | (global ? Info.Global : 0) | (device ? Info.Device : 0) | (spanBits << Info.SpanShift);
  }
  #remember(address: number, spanBits: number): void {
    if (!this.#spans.includes(spanBits)) this.#spans.push(spanBits);
    if (this.#blocks === undefined) return;
    const span = 2 ** spanBits;
    this.#blocks.add(blockKey(Math.floor(address / span) * span, spanBits));
    if (this.#blocks.size > MAX_BLOCKS) this.#blocks = undefined;
  }
}

/** Address and size of a block as one number. */
function blockKey(address: number, spanBits: number): number {
  return (address / PAGE) * 64 + spanBits;
}
function dataIndex(address: number): number {
  return (address >>> PAGE_BITS) & (Tlb.Entries - 1);
}
function fetchIndex(address: number): number {
  return (address >>> PAGE_BITS) & (Itlb.Entries - 1);
}
