import type { ExceptionLevel } from '../exception-level.ts';
import { VcpuState } from '../layout.ts';
import type { LinearMemory } from '../linear-memory.ts';
import type { Translation } from './regime.ts';
import { Sctlr, type Stage1Registers } from './stage1-walk.ts';
import type { TlbPool } from './tlb-pool.ts';
import type { TlbSet } from './tlb-set.ts';
import type { TlbInvalidation } from './tlb-invalidation.ts';

/** Address spaces of a context that are kept. */
const MAX_SPACES = 32;
/** Bits 63:48 of TTBRn_EL1 are the ASID. */
const ASID_SHIFT = 16;
/** TCR_EL1.A1: TTBR1_EL1 has the ASID; TCR_EL1.AS, in bits 63:32: it has 16 bits. */
const Tcr = { A1: 1 << 22, AS: 1 << 4 } as const;

/** Permissions for which entries differ: those of EL0, and those of EL1 by PSTATE.PAN. */
const Mode = { El0: 0, El1: 1, El1Pan: 2 } as const;
type Mode = (typeof Mode)[keyof typeof Mode];

/** What decides which TLBs are used. */
export interface TlbRegisters extends Stage1Registers {
  readonly el: ExceptionLevel;
  /** Whether unprivileged accesses have the privileges of the Exception level (PSTATE.UAO). */
  readonly uao: boolean;
}

/** Sets of TLBs that hold the same translations, by mode. */
class Space {
  readonly sets: [TlbSet | undefined, TlbSet | undefined, TlbSet | undefined] = [undefined, undefined, undefined];

  release(pool: TlbPool): void {
    for (const set of this.sets) if (set !== undefined) pool.release(set);
  }
}

/** What TTBR0_EL1 and TTBR1_EL1 together map. */
class AddressSpace extends Space {
  readonly registers: readonly number[];
  readonly asid: number;

  constructor(registers: readonly number[], asid: number) {
    super();
    this.registers = registers;
    this.asid = asid;
  }
}

/** What both of an address space's halves that have this TTBR1_EL1 share at EL1: global entries of the upper half. */
class UpperHalf extends Space {
  readonly table: number;

  constructor(table: number) {
    super();
    this.table = table;
  }
}

/**
 * The TLBs of a context. A change of Exception level, PSTATE.PAN or address space selects other TLBs and drops nothing:
 * TTBRn_EL1 with its ASID names an address space, and each has a set for EL0. At EL1 all share one with the global
 * entries of the upper half, where a kernel is, until one of them has another entry: from then on it has its own.
 */
export class ContextTlbs {
  readonly #memory: LinearMemory;
  readonly #pool: TlbPool;
  readonly #registers: TlbRegisters;
  /** With stage 1 off. */
  readonly #flat = new Space();
  /** The most recently used first. */
  #spaces: AddressSpace[] = [];
  #upper: UpperHalf[] = [];
  /** What `control` was when entries were made. */
  #control: readonly number[] = [];
  /** Both undefined while stage 1 is off. */
  #space: AddressSpace | undefined;
  #upperHalf: UpperHalf | undefined;

  constructor(memory: LinearMemory, pool: TlbPool, registers: TlbRegisters) {
    this.#memory = memory;
    this.#pool = pool;
    this.#registers = registers;
  }

  /**
   * Gives generated code the TLBs of the current Exception level, and those of unprivileged accesses. To be called for
   * the active context, after everything that selects others and every change of what they hold.
   */
  select(): void {
    const { u32 } = this.#memory;
    const { el, uao } = this.#registers;
    const set = this.#find(this.#mode(el)) ?? this.#pool.empty;
    const unprivileged = (el === 1 && uao ? set : this.#find(Mode.El0)) ?? this.#pool.empty;
    this.#pool.select(unprivileged);
    this.#pool.select(set);
    u32[VcpuState.Tlb >> 2] = set.tlb;
    u32[VcpuState.Itlb >> 2] = set.itlb;
    u32[VcpuState.El0Tlb >> 2] = unprivileged.tlb;
  }

  /** The set of the current Exception level, if it has one. */
  get current(): TlbSet | undefined {
    return this.#find(this.#mode(this.#registers.el));
  }

  /** The place of an access that misses the TLB of generated code, but is in it; see `TlbSet.find`. */
  find(address: number, access: number, el: ExceptionLevel): number {
    return this.#find(this.#mode(el))?.find(address, access) ?? -1;
  }

  /** Enters a translation of data, for the active context. @param writable whether stores need not be seen */
  fill(address: number, translation: Translation, el: ExceptionLevel, writable: boolean): void {
    const entry = this.#acquire(address, translation, el).fill(address, translation, writable);
    if (writable) this.#pool.letsStores(entry, translation.place & ~0xfff);
  }

  /** Lets stores to a page take the fast path, which `find` has found. @param offset of the page in linear memory */
  permitStores(address: number, el: ExceptionLevel, offset: number): void {
    const entry = this.#find(this.#mode(el))?.permitStores(address);
    if (entry !== undefined) this.#pool.letsStores(entry, offset);
  }

  /**
   * Enters a translation of an instruction fetch of the active context at its current Exception level. @param va of the
   * page
   */
  fillFetch(va: number, translation: Translation, simd: boolean): TlbSet {
    const set = this.#acquire(va, translation, this.#registers.el);
    set.fillFetch(va, translation);
    this.fetchSimd(set, simd);
    return set;
  }

  /** Takes records from generated code that were decoded with other access to SIMD&FP. */
  fetchSimd(set: TlbSet, simd: boolean): void {
    if (set.simd === simd) return;
    set.simd = simd;
    set.dropAllRecords();
  }

  /** To be called after a write of a register that controls stage 1. @returns whether it changed what is translated */
  controlChanged(): boolean {
    const { sctlr, epan, tcrLow, tcrHigh } = this.#registers;
    const attributes = Array.from({ length: 8 }, (_, index) => this.#registers.mair(index));
    const control = [sctlr & (Sctlr.M | Sctlr.WXN), Number(epan), tcrLow, tcrHigh, ...attributes];
    const same = control.every((value, index) => value === this.#control[index]);
    const [before = 0] = this.#control;
    this.#control = control;
    // What was cached with stage 1 off holds as long as it is off, whatever else is written.
    if (!same && ((sctlr | before) & Sctlr.M) !== 0) this.#forget();
    this.tablesChanged();
    return !same;
  }

  /** To be called after a write of TTBR0_EL1 or TTBR1_EL1. */
  tablesChanged(): void {
    const registers = this.#registers;
    if ((registers.sctlr & Sctlr.M) === 0) this.#space = this.#upperHalf = undefined;
    else {
      const tables = [
        registers.ttbrLow(0),
        registers.ttbrHigh(0),
        registers.ttbrLow(1),
        registers.ttbrHigh(1),
      ] as const;
      this.#space = this.#spaceOf(tables);
      this.#upperHalf = this.#upperHalfOf((tables[3] & 0xffff) * 2 ** 32 + (tables[2] & ~1));
    }
  }

  /** Drops what TLB maintenance is about. */
  invalidate(request: TlbInvalidation): void {
    if (request.kind === 'all') {
      this.#release(this.#spaces);
      this.#release(this.#upper);
    } else if (request.kind === 'asid') {
      this.#release(this.#spaces.filter(({ asid }) => asid === this.#asid(request.asid)));
    } else {
      const { start, bytes } = request;
      for (const { sets } of this.#upper) for (const set of sets) set?.dropRange(start, bytes, false);
      for (const { sets, asid } of this.#spaces) {
        const others = request.asid !== undefined && this.#asid(request.asid) !== asid;
        for (const set of sets) set?.dropRange(start, bytes, others);
      }
    }
  }

  /** Drops everything, also what was cached with stage 1 off. */
  flush(): void {
    this.#flat.release(this.#pool);
    this.#release(this.#spaces);
    this.#release(this.#upper);
  }

  #release(spaces: readonly Space[]): void {
    for (const space of spaces) space.release(this.#pool);
  }

  #forget(): void {
    this.#release(this.#spaces);
    this.#release(this.#upper);
    this.#spaces = [];
    this.#upper = [];
  }

  #mode(el: ExceptionLevel): Mode {
    if (el === 0) return Mode.El0;
    return this.#space !== undefined && this.#registers.pan ? Mode.El1Pan : Mode.El1;
  }

  #find(mode: Mode): TlbSet | undefined {
    if (this.#space === undefined) return this.#flat.sets[mode];
    return this.#space.sets[mode] ?? (mode === Mode.El0 ? undefined : this.#upperHalf?.sets[mode]);
  }

  /** The set that an entry goes to. */
  #acquire(address: number, { global }: Translation, el: ExceptionLevel): TlbSet {
    const mode = this.#mode(el);
    const space = this.#space;
    const own = space?.sets[mode];
    if (own !== undefined) return own;
    const shares = mode !== Mode.El0 && address < 0 && global;
    const owner = space === undefined ? this.#flat : shares ? (this.#upperHalf ?? space) : space;
    const known = owner.sets[mode];
    if (known !== undefined) return known;
    const made = this.#pool.acquire(() => (owner.sets[mode] = undefined));
    owner.sets[mode] = made;
    this.select();
    return made;
  }

  #spaceOf(tables: readonly [number, number, number, number]): AddressSpace {
    const at = this.#spaces.findIndex(({ registers }) => tables.every((value, index) => value === registers[index]));
    if (at === 0 && this.#spaces[0] !== undefined) return this.#spaces[0];
    const asid = this.#asid(((this.#registers.tcrLow & Tcr.A1) === 0 ? tables[1] : tables[3]) >>> ASID_SHIFT);
    const [space = new AddressSpace(tables, asid)] = at < 0 ? [] : this.#spaces.splice(at, 1);
    this.#spaces.unshift(space);
    if (this.#spaces.length > MAX_SPACES) this.#spaces.pop()?.release(this.#pool);
    return space;
  }

  #upperHalfOf(table: number): UpperHalf {
    const found = this.#upper.find((candidate) => candidate.table === table);
    if (found !== undefined) return found;
    const made = new UpperHalf(table);
    this.#upper.unshift(made);
    if (this.#upper.length > MAX_SPACES) this.#upper.pop()?.release(this.#pool);
    return made;
  }

  /** The bits of an ASID that count, by TCR_EL1.AS. */
  #asid(asid: number): number {
    return (this.#registers.tcrHigh & Tcr.AS) === 0 ? asid & 0xff : asid;
  }
}
