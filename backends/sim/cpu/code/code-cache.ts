import { DecodedPages } from './decoded-pages.ts';
import { Cost, type Effort } from '../effort.ts';
import { decode, type Instruction } from '../isa/decoder.ts';
import { RecordTemplates } from './record-templates.ts';
import type { LinearMemory } from '../linear-memory.ts';
import type { HandlerTable } from '../tier0/handler-table.ts';
import { FixedHandler } from '../tier0/handlers.ts';
import { branchForm } from '../tier0/operands.ts';
import { pageOf, writeSigned } from '../mmu/virtual-address.ts';
import { RECORD_PAGES, Record, RECORD_PAGE_BYTES, RECORD_REGION, RECORDS_PER_PAGE } from '../layout.ts';

const PAGE = 4096;

/** Stores to a page of code after which it is looked at whether it still is one. */
const MAX_STORES = 64;

/** Shared by the whole process, as handlers are. */
const decodedPages = new DecodedPages();
const templates = new RecordTemplates();

/** A compiled block: its handler, and the offset in linear memory of the record that names it. */
interface Block {
  readonly id: number;
  readonly record: number;
}

/** A page of code at one of its addresses, decoded or about to be. */
export interface CodePage {
  /** Virtual address of its first instruction. */
  readonly va: number;
  /** Offset in linear memory of the code. */
  readonly source: number;
  /** Whether SIMD&FP instructions are decoded to execute; if not, they are decoded to trap. */
  readonly simdAccess: boolean;
  /** Offset in linear memory of the first record. */
  readonly records: number;
  /** Samples of the PC that fell into the page since it was last compiled. */
  heat: number;
  /** Blocks that were compiled from the page. */
  readonly blocks: Block[];
  /** Whether the page has newly decoded records that other machines could use. */
  worthSharing: boolean;
  /** Stores to the page since it was fetched. */
  stores: number;
  /** Whether it was not fetched since it was taken from generated code for that. */
  idle: boolean;
}

/** The instruction TLBs, from which generated code takes records. */
export interface RecordUsers {
  /** @param va of the page of code @param records offset in linear memory of its first record */
  dropRecords(va: number, records: number): void;
}

/**
 * Decoded instructions of a machine, by the place of the code in memory and the address at which it runs: all contexts
 * with the same code at the same address use the same records and blocks. Records are made when they are reached, a
 * connected piece of code at a time. A write to a page of code clears the records of the words written, which are then
 * decoded again.
 */
export class CodeCache {
  readonly #memory: LinearMemory;
  readonly #table: HandlerTable;
  readonly #effort: Effort;
  readonly #tlbs: RecordUsers;
  /** By offset of the code in linear memory, then by `keyOf`. */
  #bySource = new Map<number, Map<number, CodePage>>();
  /** By index in the record region. */
  #slots: (CodePage | undefined)[] = [];
  #free: number[] = [];
  /** Pages that fit. */
  readonly #capacity: number;
  /** A page that is to be dropped, or -1. */
  #condemned = -1;
  /** Index of the place that was given away last. */
  #hand = -1;
  /** Index of the first place that was never used: from there on the region holds zeros. */
  #untouched = 0;
  #decoded = 0;
  #compiled = 0;
  /** Addresses before which the guest stops, for a debugger. */
  #stops: ReadonlySet<number> = NOWHERE;
  /** The one of them that is to be decoded nevertheless. */
  #passed: number | undefined;
  /**
   * Called with each instruction that is about to be executed for the first time, which is then decoded alone: this is
   * how coverage is measured. Code that the process knows already is decoded again.
   */
  onFirst: ((va: number) => void) | undefined;

  /** @param capacity pages that fit into the record region */
  constructor(
    memory: LinearMemory,
    table: HandlerTable,
    effort: Effort,
    tlbs: RecordUsers,
    capacity: number = RECORD_PAGES,
  ) {
    this.#capacity = capacity;
    this.#effort = effort;
    this.#tlbs = tlbs;
    this.#memory = memory;
    this.#table = table;
  }

  /** Counts since the machine was created: instructions decoded one by one, and blocks compiled. */
  get made(): { readonly decoded: number; readonly compiled: number } {
    return { decoded: this.#decoded, compiled: this.#compiled };
  }

  find(source: number, va: number, simdAccess: boolean): CodePage | undefined {
    return this.#bySource.get(source)?.get(keyOf(va, simdAccess));
  }

  /** The page that holds a record. */
  pageOf(record: number): CodePage | undefined {
    return this.#slots[Math.floor((record - RECORD_REGION) / RECORD_PAGE_BYTES)];
  }

  /** Virtual address of a record's instruction; the record after a page's last is the next page's first. */
  addressOf(page: CodePage, record: number): number {
    return page.va + ((record - page.records) / Record.Bytes) * 4;
  }

  /** The instruction word of a record. */
  wordOf(page: CodePage, record: number): number {
    return this.#memory.u32[(page.source + ((record - page.records) / Record.Bytes) * 4) >> 2] ?? 0;
  }

  hasCode(source: number): boolean {
    return this.#bySource.has(source);
  }

  /**
   * Makes a page, without instructions or with those that are known already.
   *
   * @param replaces whether another one may go if there is no room: no page may be in use
   * @returns undefined if there is no room
   */
  add(source: number, va: number, simdAccess: boolean, replaces: boolean): CodePage | undefined {
    const slot = this.#free.pop() ?? (this.#slots.length < this.#capacity ? this.#slots.length : undefined);
    if (slot === undefined) {
      if (!replaces) return undefined;
      this.#dropOldest();
      return this.add(source, va, simdAccess, replaces);
    }
    const records = RECORD_REGION + slot * RECORD_PAGE_BYTES;
    // Charged here and not when pages are dropped: many may be dropped at once.
    this.#effort.spent += Cost.Page;
    if (slot < this.#untouched) this.#memory.u8.fill(0, records, records + RECORD_PAGE_BYTES);
    else this.#untouched = slot + 1;
    const page: CodePage = {
      va,
      source,
      simdAccess,
      records,
      heat: 0,
      blocks: [],
      worthSharing: false,
      stores: 0,
      idle: false,
    };
    this.#slots[slot] = page;
    const pages = this.#bySource.get(source) ?? new Map<number, CodePage>();
    this.#bySource.set(source, pages.set(keyOf(va, simdAccess), page));
    this.#writeRecord(page.records + RECORDS_PER_PAGE * Record.Bytes, FixedHandler.CrossPage);
    writeSigned(this.#memory.u32, page.records + RECORDS_PER_PAGE * Record.Bytes + Record.Imm, va + PAGE);
    this.#restore(page);
    return page;
  }

  /** The oldest is the one whose place was given away first. */
  #dropOldest(): void {
    do this.#hand = (this.#hand + 1) % this.#capacity;
    while (this.#slots[this.#hand] === undefined);
    const oldest = this.#slots[this.#hand];
    if (oldest === undefined) return;
    const pages = this.#bySource.get(oldest.source);
    pages?.delete(keyOf(oldest.va, oldest.simdAccess));
    if (pages?.size === 0) this.#bySource.delete(oldest.source);
    this.#drop(oldest);
  }

  /** Copies the records that the process has for the same code, or this machine at another address. */
  #restore(page: CodePage): void {
    if (this.onFirst !== undefined) return;
    const found = decodedPages.find(this.#memory, page.va, page.source);
    if (found === undefined) {
      this.#copyFromAlias(page);
    } else {
      this.#effort.spent += Cost.Page;
      this.#memory.u8.set(found.records, page.records);
      for (const handler of found.handlers) {
        if (page.simdAccess || !this.#table.library.isSimd(handler)) this.#table.want(handler);
      }
      if (found.simd && !page.simdAccess) this.#trapSimd(page);
    }
    for (const va of this.#stops) {
      if (pageOf(va) === page.va)
        this.#writeRecord(page.records + ((va - page.va) / 4) * Record.Bytes, FixedHandler.Stop);
    }
  }

  /** Has the code at these addresses stop, wherever it is, and no other. */
  setStops(addresses: ReadonlySet<number>): void {
    const changed = new Set([...this.#stops, ...addresses].map(pageOf));
    this.#stops = addresses;
    for (const page of this.#slots) if (page !== undefined && changed.has(page.va)) this.#clear(page);
  }

  /** Decodes the instruction of a record that stops. `stopAgain` undoes it. */
  passStop(page: CodePage, record: number): void {
    const va = this.addressOf(page, record);
    this.#writeRecord(record, FixedHandler.Decode);
    this.#passed = va;
    this.decodeFrom(va, (at) => (at === page.va ? page : undefined));
    this.#passed = undefined;
  }

  /** To be called after the instruction of a record was executed: the record stops again if it is to. */
  stopAgain(page: CodePage, record: number): void {
    if (this.#stops.has(this.addressOf(page, record))) this.#writeRecord(record, FixedHandler.Stop);
  }

  /** Forgets all stops and watchers, for the next machine. */
  undebug(): void {
    if (this.#stops.size > 0) this.setStops(NOWHERE);
    this.onFirst = undefined;
  }

  /** Copies the records that mean the same at every address: processes have a library where chance put it. */
  #copyFromAlias(page: CodePage): void {
    let alias: CodePage | undefined;
    for (const other of this.#pagesAt(page.source)) {
      if (other !== page && other.simdAccess === page.simdAccess) alias = other;
    }
    if (alias === undefined) return;
    this.#effort.spent += Cost.Page;
    const { u8, u16 } = this.#memory;
    u8.copyWithin(page.records, alias.records, alias.records + RECORDS_PER_PAGE * Record.Bytes);
    const { library } = this.#table;
    for (let index = 0; index < RECORDS_PER_PAGE; index += 1) {
      const at = (page.records + index * Record.Bytes) >> 1;
      if (!library.isMovable(u16[at] ?? FixedHandler.Decode)) u16[at] = FixedHandler.Decode;
    }
  }

  #trapSimd(page: CodePage): void {
    const { u16 } = this.#memory;
    for (let index = 0; index < RECORDS_PER_PAGE; index += 1) {
      const at = (page.records + index * Record.Bytes) >> 1;
      if (this.#table.library.isSimd(u16[at] ?? FixedHandler.Decode)) u16[at] = FixedHandler.SimdTrap;
    }
  }

  /** Takes a handler id for a block of a page, which begins with a record; undefined when there are none left. */
  takeBlockHandler(page: CodePage, record: number): number | undefined {
    this.#share(page);
    const id = this.#table.takeBlock();
    if (id === undefined) return undefined;
    page.blocks.push({ id, record });
    this.#compiled += 1;
    return id;
  }

  /** Forgets the blocks of all pages, which go with the table; the caller must replace it. Records stay. */
  forgetBlocks(): void {
    for (const page of this.#slots) {
      if (page === undefined || page.blocks.length === 0) continue;
      this.#effort.spent += Cost.CopiedRecord * page.blocks.length;
      this.#unlink(page);
      page.heat = 0;
    }
  }

  /** Drops what `storing` has found to be data. Generated code must not be running: it may be in there. */
  dropCondemned(): void {
    if (this.#condemned >= 0) this.drop(this.#condemned);
    this.#condemned = -1;
  }

  /** To be called when generated code gets the records of a page. */
  fetched(page: CodePage): void {
    page.stores = 0;
    page.idle = false;
  }

  /**
   * To be called before a store to a page of code. A page that is stored to again and again, and not fetched, is taken
   * for data: `dropCondemned` drops its code.
   *
   * @param offset in linear memory
   * @returns whether the store must be executed again, since code changed that may be running
   */
  storing(offset: number, bytes: number): boolean {
    if (this.releaseBlocks(offset)) return true;
    const source = offset - (offset % PAGE);
    let idle = true;
    let many = false;
    for (const page of this.#pagesAt(source)) {
      page.stores += 1;
      many ||= page.stores > MAX_STORES;
      idle &&= page.idle;
    }
    if (many && idle) {
      this.#condemned = source;
      return true;
    }
    if (many) {
      for (const page of this.#pagesAt(source)) {
        page.stores = 0;
        page.idle = true;
        this.#tlbs.dropRecords(page.va, page.records);
      }
    }
    this.written(offset, bytes);
    return false;
  }

  /**
   * Discards compiled blocks of the page that is about to be written, since a block runs to its end once entered.
   *
   * @returns whether there were any: tier 0 then executes the write again
   */
  releaseBlocks(offset: number): boolean {
    let released = false;
    for (const page of this.#pagesAt(offset - (offset % PAGE))) {
      if (page.blocks.length === 0) continue;
      released = true;
      this.#releaseBlocks(page);
    }
    return released;
  }

  /** Offers a page's records to other machines that run the same code. */
  #share(page: CodePage): void {
    if (!page.worthSharing) return;
    page.worthSharing = false;
    this.#effort.spent += 2 * Cost.Page;
    const { u8 } = this.#memory;
    const records = u8.slice(page.records, page.records + RECORD_PAGE_BYTES);
    decodedPages.keep(page.va, u8.slice(page.source, page.source + PAGE), records, this.#table.library);
  }

  #clear(page: CodePage): void {
    page.worthSharing = false;
    this.#effort.spent += Cost.Page;
    this.#releaseBlocks(page);
    this.#memory.u8.fill(0, page.records, page.records + RECORDS_PER_PAGE * Record.Bytes);
  }

  #releaseBlocks(page: CodePage): void {
    this.#effort.spent += Cost.Block * page.blocks.length;
    this.#table.releaseBlocks(this.#unlink(page));
    page.heat = 0;
  }

  /** Takes a page's blocks out of its records. @returns their handlers */
  #unlink(page: CodePage): number[] {
    for (const { record } of page.blocks) this.#writeRecord(record, FixedHandler.Decode);
    return page.blocks.splice(0).map(({ id }) => id);
  }

  /** Clears the records of the bytes written. */
  written(offset: number, bytes: number): void {
    if (this.#bySource.size === 0) return;
    const last = offset + bytes - 1;
    for (let source = offset - (offset % PAGE); source <= last; source += PAGE) {
      for (const page of this.#pagesAt(source)) {
        page.worthSharing = false;
        if (page.blocks.length > 0) this.#releaseBlocks(page);
        const from = Math.max(offset - source, 0) >> 2;
        const to = Math.min(last - source, PAGE - 1) >> 2;
        this.#memory.u8.fill(0, page.records + from * Record.Bytes, page.records + (to + 1) * Record.Bytes);
      }
    }
  }

  /** Drops a page of code at all of its addresses. */
  drop(source: number): void {
    for (const page of this.#pagesAt(source)) this.#drop(page);
    this.#bySource.delete(source);
  }

  /** Drops everything. */
  dropAll(): void {
    for (const source of [...this.#bySource.keys()]) this.drop(source);
  }

  #pagesAt(source: number): Iterable<CodePage> {
    return this.#bySource.get(source)?.values() ?? [];
  }

  #drop(page: CodePage): void {
    const slot = (page.records - RECORD_REGION) / RECORD_PAGE_BYTES;
    this.#share(page);
    this.#effort.spent += Cost.Event + Cost.Block * page.blocks.length;
    this.#table.releaseBlocks(this.#unlink(page));
    this.#tlbs.dropRecords(page.va, page.records);
    this.#slots[slot] = undefined;
    this.#free.push(slot);
  }

  /**
   * Forgets everything; instruction TLBs must be flushed. It takes about as long however much there is: records are
   * cleared when their places are used again, and blocks go with the table, which the caller must replace.
   *
   * @param shared maximum number of pages whose records are offered to other machines
   */
  forget(shared: number): void {
    let left = shared;
    for (const page of left > 0 ? this.#slots : []) {
      if (page?.worthSharing !== true) continue;
      this.#share(page);
      left -= 1;
      if (left === 0) break;
    }
    this.#bySource = new Map();
    this.#slots = [];
    this.#free = [];
    this.#hand = -1;
  }

  /** Number of pages with records. */
  get size(): number {
    return this.#slots.length - this.#free.length;
  }

  /**
   * Decodes everything that is reached from an address by falling through and by direct branches.
   *
   * @param pageAt finds the page of an address, without side effects that a guest could see
   */
  decodeFrom(start: number, pageAt: (va: number) => CodePage | undefined): void {
    const work = [start];
    const until = this.#effort.spent + MAX_EFFORT_PER_PASS;
    const { library } = this.#table;
    const pending = library.pending;
    const room = (): boolean => this.#effort.spent < until && library.pending < MAX_NEW_HANDLERS_PER_PASS;
    for (let va = work.pop(); va !== undefined && room(); va = work.pop()) {
      const pageAddress = pageOf(va);
      const page = pageAt(pageAddress);
      if (page === undefined) continue;
      for (let index = (va - pageAddress) / 4; index < RECORDS_PER_PAGE && room(); index += 1) {
        const record = page.records + index * Record.Bytes;
        if (this.#memory.u16[record >> 1] !== FixedHandler.Decode) break;
        this.#effort.spent += Cost.CopiedRecord;
        this.#decoded += 1;
        // A page with compiled blocks has handlers that belong to this machine.
        page.worthSharing = page.blocks.length === 0;
        const pc = page.va + index * 4;
        if (pc !== this.#passed && this.#stops.has(pc)) {
          this.#writeRecord(record, FixedHandler.Stop);
          break;
        }
        if (this.onFirst !== undefined && pc !== start) break;
        this.onFirst?.(pc);
        const word = this.#memory.u32[(page.source + index * 4) >> 2] ?? 0;
        const template = templates.find(word);
        if (template >= 0) {
          const usesSimd = templates.isSimd(template);
          if (usesSimd && !page.simdAccess) this.#writeRecord(record, FixedHandler.SimdTrap);
          else {
            templates.copyTo(this.#memory.u32, record >> 2, template);
            this.#table.want(this.#memory.u16[record >> 1] ?? FixedHandler.Decode);
          }
          if (templates.ends(template)) break;
          continue;
        }
        this.#effort.spent += Cost.MadeRecord;
        const instruction = decode(word, pc);
        if (instruction === undefined) {
          this.#writeRecord(record, FixedHandler.Undefined);
          break;
        }
        const { row } = instruction;
        const ends = row.definition.flow === 'never';
        if (row.simd && !page.simdAccess) {
          this.#writeRecord(record, FixedHandler.SimdTrap);
        } else {
          this.#encode(record, page, pc, instruction);
          if (!row.definition.usesPc) templates.add(word, this.#memory.u32, record >> 2, row.simd, ends);
        }
        const { target } = instruction.decoded;
        if (target !== undefined && this.onFirst === undefined) work.push(target);
        if (ends) break;
      }
    }
    this.#effort.spent += Cost.NewHandler * (library.pending - pending);
  }

  #encode(record: number, page: CodePage, pc: number, { row, decoded }: Instruction): void {
    const { u16, u32, i32, u64 } = this.#memory;
    const { d, n, m, a, s, small, imm, low, high, target, link } = decoded;
    const branch = branchForm(decoded, page.va);
    if (target !== undefined) {
      const distance = ((target - pc) / 4) * Record.Bytes;
      if (link !== undefined) {
        writeSigned(u32, record + Record.Imm, link);
        i32[(record + Record.LinkDistance) >> 2] = branch === 'near-link' ? distance : target - link;
      } else if (branch === 'near') i32[(record + Record.Low) >> 2] = distance;
      else writeSigned(u32, record + Record.Imm, target);
    }
    if (imm !== undefined) u64[(record + Record.Imm) >> 3] = imm;
    if (low !== undefined) i32[(record + Record.Low) >> 2] = low;
    if (high !== undefined) i32[(record + Record.High) >> 2] = high;
    if (d !== undefined) u16[(record + Record.D) >> 1] = d;
    if (n !== undefined) u16[(record + Record.N) >> 1] = n;
    if (m !== undefined) u16[(record + Record.M) >> 1] = m;
    if (a !== undefined) u16[(record + Record.A) >> 1] = a;
    if (s !== undefined) u16[(record + Record.S) >> 1] = s;
    if (small !== undefined) u16[(record + Record.Small) >> 1] = small;
    const handler = this.#table.library.idOf(row, decoded.variant ?? [], branch);
    this.#table.want(handler);
    this.#writeRecord(record, handler);
  }

  #writeRecord(record: number, handler: number): void {
    this.#memory.u16[record >> 1] = handler;
  }
}

const NOWHERE: ReadonlySet<number> = new Set();

/** A page's key among those with the same source. Page addresses are even. */
function keyOf(va: number, simdAccess: boolean): number {
  return simdAccess ? va : va + 1;
}

/**
 * Limits of one pass of decoding, during which the run does not advance; what is left is decoded when it is reached.
 * Making a handler costs far more than using one.
 */
const MAX_EFFORT_PER_PASS = 32_768;
const MAX_NEW_HANDLERS_PER_PASS = 32;
