import type { ExceptionLevel } from '../exception-level.ts';
import { Access, FaultStatus } from './regime.ts';
import { type HalfControl, LAST_LEVEL, Stage1Control } from './stage1-control.ts';
import { PIECE_BITS, WalkCache } from './walk-cache.ts';

/**
 * The registers that control stage 1 of a regime, in the form of those of EL1&0 (Arm ARM, D24.2), in halves of 32 bits.
 */
export interface Stage1Registers {
  readonly sctlr: number;
  /** SCTLR_EL1.EPAN: PSTATE.PAN counts for pages that EL0 may only execute too (FEAT_PAN3). */
  readonly epan: boolean;
  readonly tcrLow: number;
  readonly tcrHigh: number;
  /** @param half 0 for TTBR0_EL1, 1 for TTBR1_EL1 */
  ttbrLow(half: 0 | 1): number;
  ttbrHigh(half: 0 | 1): number;
  /** MAIR_EL1.Attr<n>. */
  mair(index: number): number;
  /** Whether PSTATE.PAN is set. */
  readonly pan: boolean;
  /** Whether there is one range of addresses and one Exception level, as in the EL2 regime. Default: no. */
  readonly oneRange?: boolean;
  /** Whether memory is Normal while stage 1 is off (HCR_EL2.DC). Default: no. */
  readonly defaultCacheable?: boolean;
}

/** Memory of translation tables, by intermediate physical address. */
export interface TableMemory {
  /**
   * Reads a descriptor into `low` and `high`.
   *
   * @param ipa a multiple of 8 below 2^48
   * @returns false if stage 2 faults
   */
  read(ipa: number): boolean;
  /** Reads a descriptor at a place that `read` has given. */
  readAt(place: number): void;
  /**
   * Sets and clears bits of a descriptor, as hardware updates do.
   *
   * @returns false if stage 2 faults
   */
  update(ipa: number, set: number, clear: number): boolean;
  /** Bits 31:0 and 63:32 of the descriptor, and where it is. */
  readonly low: number;
  readonly high: number;
  readonly place: number;
}

/** Bits of SCTLR_EL1. */
export const Sctlr = { M: 1, A: 1 << 1, nAA: 1 << 6, WXN: 1 << 19 } as const;
/** Bits 31:0 of a descriptor: AP[1] permits accesses at EL0, AP[2] forbids writes. */
const Low = {
  Valid: 1,
  TableOrPage: 2,
  User: 1 << 6,
  ReadOnly: 1 << 7,
  AccessFlag: 1 << 10,
  NotGlobal: 1 << 11,
} as const;
/**
 * Bits 63:32 of a descriptor, as 31:0. Those of a table hold for everything below it. DBM is the dirty bit modifier.
 */
const High = {
  Guarded: 1 << 18,
  Dbm: 1 << 19,
  Pxn: 1 << 21,
  Uxn: 1 << 22,
  PxnTable: 1 << 27,
  UxnTable: 1 << 28,
  NoUserTable: 1 << 29,
  ReadOnlyTable: 1 << 30,
} as const;
const HIGH = 2 ** 32;
/** Pieces of tables of the last level that are kept, each for 2 MiB with granules of 4 KiB, and of the level above. */
const KEPT = { last: 256, above: 32 } as const;
const ABOVE = LAST_LEVEL - 1;

/**
 * A stage 1 translation table walk in VMSAv8-64, of addresses of up to 48 bits (Arm ARM, D8.2 to D8.4;
 * AArch64.S1Translate in the pseudocode). The contiguous hint is ignored. Tables of the last two levels are kept, as
 * TLBs may, until `dropTables`; descriptors of pages and blocks are read each time.
 */
export class Stage1Walk {
  /** The fault status code with the level, or -1: then the fields below are valid. */
  status = -1;
  /** The output address; for a fault of stage 2, the address of the descriptor. */
  ipa = 0;
  /** Whether the fault is one of stage 2, which `TableMemory` knows. */
  stage2 = false;
  /** Level of the last descriptor. */
  level = 0;
  /** What EL0 and EL1 may do, as bits of `Access`. PSTATE.PAN does not count here. */
  el0 = 0;
  el1 = 0;
  /** AttrIndx and SH of the descriptor. */
  attributeIndex = 0;
  shareability = 0;
  /** GP of the descriptor. */
  guarded = false;
  /** Whether the entry is for all ASIDs. */
  global = false;
  /** log2 of the size of the page or block. */
  spanBits = 0;
  /** Whether the first write is still to be noted in the descriptor, with the access flag or without: see `update`. */
  clean = false;
  /** Whether the access flag is still to be set. */
  old = false;
  /** Address of the last descriptor. */
  #descriptor = 0;
  readonly #registers: Stage1Registers;
  readonly #tables: TableMemory;
  readonly #control = new Stage1Control();
  #last: WalkCache | undefined;
  #above: WalkCache | undefined;

  constructor(registers: Stage1Registers, tables: TableMemory) {
    this.#registers = registers;
    this.#tables = tables;
  }

  /** Drops the tables that are kept: for TLB maintenance, and after a change of registers or of stage 2. */
  dropTables(): void {
    this.#last?.clear();
    this.#above?.clear();
  }

  /**
   * @param va a canonical address, without a tag
   * @param keep whether the tables on the way may be kept
   */
  walk(va: number, el: ExceptionLevel = 1, keep = false): void {
    this.stage2 = false;
    const registers = this.#registers;
    const half = va < 0 ? 1 : 0;
    const control = this.#control.of(half, registers.tcrLow, registers.tcrHigh);
    const { inputSize } = control;
    const input = half === 0 ? va : va + inputSize;
    if (!control.valid || input < 0 || input >= inputSize || (el === 0 && control.noEl0)) {
      this.status = FaultStatus.Translation;
      return;
    }
    const register = address(registers.ttbrLow(half), registers.ttbrHigh(half));
    const root = register - (register % control.tableBytes);
    if (root >= this.#control.outputLimit) {
      this.status = FaultStatus.AddressSize;
      return;
    }
    if (!this.#fromKept(va, input, root, control)) this.#fromRoot(va, input, root, control, keep);
  }

  /** Starts with a table that is kept. @returns false if there is none, or the walk must start at the root */
  #fromKept(va: number, input: number, root: number, control: HalfControl): boolean {
    for (const [cache, level] of [
      [this.#last, LAST_LEVEL],
      [this.#above, ABOVE],
    ] as const) {
      if (cache === undefined) return false;
      const shift = control.shifts[level] ?? 0;
      const entry = cache.find(regionOf(va, shift), root);
      if (entry < 0) continue;
      const offset = pieceOffset(input, shift);
      this.#tables.readAt(cache.place(entry) + offset);
      if (level !== LAST_LEVEL && isTable(this.#tables.low)) continue;
      this.#end(level, input, control, cache.inherited(entry), cache.address(entry) + offset);
      return true;
    }
    return false;
  }

  #fromRoot(va: number, input: number, root: number, control: HalfControl, keep: boolean): void {
    const tables = this.#tables;
    let table = root;
    let inherited = 0;
    for (let level = control.firstLevel; ; level += 1) {
      const shift = control.shifts[level] ?? 0;
      const at = table + (Math.floor(input / 2 ** shift) % (control.lengths[level] ?? 1)) * 8;
      if (!tables.read(at)) {
        this.stage2 = true;
        this.ipa = at;
        return;
      }
      if (keep && level >= ABOVE)
        this.#keep(level, regionOf(va, shift), root, at, pieceOffset(input, shift), inherited);
      if (level === LAST_LEVEL || !isTable(tables.low)) {
        this.#end(level, input, control, inherited, at);
        return;
      }
      const output = address(tables.low, tables.high);
      table = output - (output % 2 ** control.granule);
      if (table >= this.#control.outputLimit) {
        this.status = FaultStatus.AddressSize + level;
        return;
      }
      if (!control.flat) inherited |= tables.high;
    }
  }

  /** @param offset of the descriptor that was just read, in its piece of a table */
  #keep(level: number, region: number, root: number, at: number, offset: number, inherited: number): void {
    const cache =
      level === LAST_LEVEL ? (this.#last ??= new WalkCache(KEPT.last)) : (this.#above ??= new WalkCache(KEPT.above));
    cache.add(region, root, this.#tables.place - offset, at - offset, inherited);
  }

  /** Takes the last descriptor. */
  #end(level: number, input: number, control: HalfControl, inherited: number, at: number): void {
    const { low, high } = this.#tables;
    const pointsOn = (low & Low.TableOrPage) !== 0;
    if ((low & Low.Valid) === 0 || !(pointsOn ? level === LAST_LEVEL : hasBlocks(control.granule, level))) {
      this.status = FaultStatus.Translation + level;
      return;
    }
    const shift = control.shifts[level] ?? 0;
    const span = 2 ** shift;
    const output = address(low, high);
    const base = output - (output % span);
    if (base >= this.#control.outputLimit) {
      this.status = FaultStatus.AddressSize + level;
      return;
    }
    const { setsAccessFlag, setsDirtyState } = this.#control;
    this.old = (low & Low.AccessFlag) === 0;
    this.clean = setsDirtyState && (high & High.Dbm) !== 0 && (low & Low.ReadOnly) !== 0;
    this.status = this.old && !setsAccessFlag ? FaultStatus.AccessFlag + level : -1;
    this.ipa = base + (input % span);
    this.level = level;
    this.attributeIndex = (low >>> 2) & 7;
    this.shareability = (low >>> 8) & 3;
    this.guarded = (high & High.Guarded) !== 0;
    this.global = this.#registers.oneRange === true || (low & Low.NotGlobal) === 0;
    this.spanBits = shift;
    this.#descriptor = at;
    this.#permit(this.clean ? low & ~Low.ReadOnly : low, high, inherited);
  }

  /**
   * Notes an access in the descriptor, where hardware does that: its access flag, and for a write that the page is
   * dirty.
   *
   * @returns false if stage 2 faults; then `ipa` is that of the descriptor
   */
  update(write: boolean): boolean {
    const dirties = this.clean && write;
    if (!this.old && !dirties) return true;
    if (!this.#tables.update(this.#descriptor, Low.AccessFlag, dirties ? Low.ReadOnly : 0)) {
      this.stage2 = true;
      this.ipa = this.#descriptor;
      return false;
    }
    this.old = false;
    if (dirties) this.clean = false;
    return true;
  }

  /** Direct permissions, limited by those of the tables above (Arm ARM, D8.4.1). */
  #permit(low: number, high: number, tables: number): void {
    const user = (low & Low.User) !== 0 && (tables & High.NoUserTable) === 0;
    const writable = (low & Low.ReadOnly) === 0 && (tables & High.ReadOnlyTable) === 0;
    const uxn = (high & High.Uxn) !== 0 || (tables & High.UxnTable) !== 0;
    const pxn = (high & High.Pxn) !== 0 || (tables & High.PxnTable) !== 0;
    const wxn = (this.#registers.sctlr & Sctlr.WXN) !== 0;
    const write = writable ? Access.Write : 0;
    if (this.#registers.oneRange === true) {
      // AP[1] is RES1, and XN is where UXN is.
      this.el0 = 0;
      this.el1 = Access.Read | write | (uxn || (wxn && writable) ? 0 : Access.Execute);
      return;
    }
    this.el0 = (user ? Access.Read | write : 0) | (uxn || (wxn && user && writable) ? 0 : Access.Execute);
    // What EL0 may write, EL1 never executes.
    this.el1 = Access.Read | write | (pxn || (writable && (user || wxn)) ? 0 : Access.Execute);
  }
}

/** Number of the piece of a table that translates an address. @param shift of a descriptor's addresses */
function regionOf(va: number, shift: number): number {
  return Math.floor(va / 2 ** (shift + PIECE_BITS)) | 0;
}

/** Offset of a descriptor in its piece of a table. A table of less than 4 KiB is one piece. */
function pieceOffset(input: number, shift: number): number {
  return (Math.floor(input / 2 ** shift) % 2 ** PIECE_BITS) * 8;
}

function isTable(low: number): boolean {
  return (low & (Low.Valid | Low.TableOrPage)) === (Low.Valid | Low.TableOrPage);
}

/** Bits 47:12 of a descriptor or TTBRn_EL1 as an address; bits 11:4 of the latter too. */
function address(low: number, high: number): number {
  return (high & 0xffff) * HIGH + ((low & ~15) >>> 0);
}

/** Whether a level may have block descriptors, without FEAT_LPA and FEAT_LPA2. */
function hasBlocks(granule: number, level: number): boolean {
  return level === 2 || (level === 1 && granule === 12);
}
