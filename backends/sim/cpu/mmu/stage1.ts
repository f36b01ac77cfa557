import type { ExceptionLevel } from '../exception-level.ts';
import { Access, FaultStatus } from './regime.ts';
import { Sctlr, Stage1Walk, type Stage1Registers, type TableMemory } from './stage1-walk.ts';
import type { IpaTranslation } from './stage2-access.ts';

/** Higher addresses are outside of the regime: FEAT_LPA2 is not implemented. */
const ADDRESS_LIMIT = 2 ** 48;
const PAGE_BITS = 12;
const OUTER_SHAREABLE = 2;
/** Attributes of Normal memory that is inner and outer Non-cacheable. */
const NON_CACHEABLE = 0x44;
/** The same, Write-Back with allocation. */
const WRITE_BACK = 0xff;
const DATA = Access.Read | Access.Write;
const ALL = DATA | Access.Execute;

/** Translation tables as stage 2 maps them. */
class GuestTables implements TableMemory {
  low = 0;
  high = 0;
  place = 0;
  /** Of the last read that faulted: see `Translation`. */
  status = 0;
  guest = false;
  fault = 0;
  readonly #words: Uint32Array;
  readonly #stage2: IpaTranslation;

  constructor(words: Uint32Array, stage2: IpaTranslation) {
    this.#words = words;
    this.#stage2 = stage2;
  }

  read(ipa: number): boolean {
    const place = this.#translate(ipa, Access.Read);
    if (place < 0) return false;
    this.readAt(place);
    return true;
  }

  readAt(place: number): void {
    this.place = place;
    this.low = this.#words[place >>> 2] ?? 0;
    this.high = this.#words[(place >>> 2) + 1] ?? 0;
  }

  update(ipa: number, set: number, clear: number): boolean {
    const place = this.#translate(ipa, Access.Read | Access.Write);
    if (place < 0) return false;
    this.#words[place >>> 2] = ((this.#words[place >>> 2] ?? 0) & ~clear) | set;
    return true;
  }

  #translate(at: number, access: number): number {
    const { place, status, guest, ipa } = this.#stage2.translate(at, access | Access.TableWalk, 1);
    this.status = status;
    this.guest = guest === true;
    this.fault = ipa;
    return place;
  }
}

/**
 * Stage 1 of a regime. `translate` fills in the fields, so that a TLB miss allocates nothing. While
 * SCTLR_EL1.M is 0, a virtual address is the intermediate physical address, and all memory is Device-nGnRnE, so every
 * misaligned access faults (Arm ARM, D8.2.11 and B2.13.2).
 */
export class Stage1 {
  /** The fault status code with the level; -1 if the access does not fault. */
  status = -1;
  /** The output address; for a fault of stage 2 in the walk, the address of the descriptor. */
  ipa = 0;
  /** Whether the fault is one of stage 2 in the walk. */
  stage2 = false;
  /** Whether it is one of the guest's own stage 2. */
  guest = false;
  /** Whether it is one of writing to a descriptor. */
  walkWrites = false;
  /** What the Exception level may do, as bits of `Access`; valid for permission faults too. */
  allowed = 0;
  /** Of a translation that does not fault, see `Translation`. */
  global = true;
  device = true;
  spanBits = 12;
  /** Memory attributes as in MAIR_EL1, and shareability as in PAR_EL1.SH. */
  attributes = 0;
  shareability = 0;
  /** Whether the page is guarded: see `Translation`. */
  guarded = false;
  readonly #registers: Stage1Registers;
  readonly #tables: GuestTables;
  readonly #walk: Stage1Walk;

  /** @param words linear memory */
  constructor(words: Uint32Array, registers: Stage1Registers, stage2: IpaTranslation) {
    this.#registers = registers;
    this.#tables = new GuestTables(words, stage2);
    this.#walk = new Stage1Walk(registers, this.#tables);
  }

  /**
   * @param va a canonical address, without a tag
   * @param access bits of `Access`
   * @param pan whether EL1 is kept from data that EL0 may access
   */
  translate(va: number, access: number, el: ExceptionLevel, pan: boolean): void {
    this.status = -1;
    this.stage2 = this.guest = this.walkWrites = false;
    this.allowed = 0;
    this.guarded = false;
    if ((this.#registers.sctlr & Sctlr.M) === 0) this.#translateFlat(va, access);
    else this.#translateMapped(va, access, el, pan);
  }

  #translateFlat(va: number, access: number): void {
    this.ipa = va;
    const cacheable = this.#registers.defaultCacheable === true;
    this.global = true;
    this.device = !cacheable;
    this.spanBits = PAGE_BITS;
    this.attributes = cacheable ? WRITE_BACK : 0;
    this.shareability = cacheable ? 0 : OUTER_SHAREABLE;
    if (va < 0 || va >= ADDRESS_LIMIT) this.status = FaultStatus.AddressSize;
    else if (this.device && (access & Access.Misaligned) !== 0) this.status = FaultStatus.Alignment;
    else this.allowed = ALL;
  }

  #translateMapped(va: number, access: number, el: ExceptionLevel, pan: boolean): void {
    const walk = this.#walk;
    const speculative = (access & Access.Speculative) !== 0;
    walk.walk(va, el, !speculative);
    this.ipa = walk.ipa;
    if (walk.stage2) {
      this.#failWalk();
      return;
    }
    this.status = walk.status;
    if (walk.status >= 0) return;
    const { el0, el1, attributeIndex, shareability } = walk;
    this.guarded = walk.guarded;
    this.attributes = this.#registers.mair(attributeIndex);
    const device = this.attributes >>> 4 === 0;
    this.shareability = device || this.attributes === NON_CACHEABLE ? OUTER_SHAREABLE : shareability;
    this.device = device;
    this.global = walk.global;
    this.spanBits = walk.spanBits;
    this.allowed = el === 0 ? el0 : pan && this.#isUsers(el0) ? el1 & ~DATA : el1;
    const wanted = access & ALL;
    // By priority (Arm ARM, R_XCHFJ): the memory type, permissions, then stage 2.
    if (device && (access & Access.Misaligned) !== 0) this.status = FaultStatus.Alignment;
    else if ((this.allowed & wanted) !== wanted) this.status = FaultStatus.Permission + walk.level;
    else if (!speculative && !walk.update((access & Access.Write) !== 0)) {
      this.walkWrites = true;
      this.#failWalk();
    }
    // A page that is clean must be noted to be dirty before the first write.
    if (walk.clean) this.allowed &= ~Access.Write;
  }

  /** Takes the fault of a table read or written. */
  #failWalk(): void {
    const { status, guest, fault } = this.#tables;
    // There is no memory: an External abort, which the regime itself takes.
    this.stage2 = (status & FaultStatus.ExternalInWalk) !== FaultStatus.ExternalInWalk;
    this.guest = guest;
    this.status = status;
    this.ipa = fault;
  }

  /** Whether PSTATE.PAN keeps EL1 from the data of a page, by what EL0 may do with it. */
  #isUsers(el0: number): boolean {
    return (el0 & (this.#registers.epan ? ALL : DATA)) !== 0;
  }

  /** Drops what is kept of tables: for TLB maintenance, and after a change of registers or of stage 2. */
  dropTables(): void {
    this.#walk.dropTables();
  }
}
