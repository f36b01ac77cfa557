import type { CodeCache } from '../code/code-cache.ts';
import type { Context } from '../pe/context.ts';
import { Cost, type Effort } from '../effort.ts';
import { inPage, readAddress } from './virtual-address.ts';
import type { ExceptionLevel } from '../exception-level.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { VcpuState, ZVA_BYTES } from '../layout.ts';
import type { Watchpoints } from '../debug/watchpoints.ts';
import { MUST_ALIGN, ORDERED, UNPRIVILEGED } from '../tier0/imports.ts';
import { Access, FaultStatus, type Translation } from './regime.ts';

const PAGE = 4096;
/** Bytes within which FEAT_LSE2 makes misaligned accesses single-copy atomic. */
const QUANTITY = 16;

/** A memory access that faulted. */
export interface Fault {
  /** Whether EL2 takes the fault; if not, EL1 does. */
  stage2: boolean;
  status: number;
  /** Bytes from `VcpuState.SlowAddress` to the faulting address, which is in the second page if only that faulted. */
  distance: number;
  /** For a stage 2 fault: the intermediate physical address, and whether a stage 1 table walk took it. */
  ipa: number;
  inWalk: boolean;
  /** For a stage 2 fault: whether it is one of the guest's own stage 2. */
  guest: boolean;
  write: boolean;
  /** Cache maintenance or address translation, not a load or store (ISS.CM). */
  maintenance: boolean;
  /**
   * No fault: the instruction must be executed again, since its compiled block was discarded, or a debugger has the
   * guest stop before it.
   */
  again: boolean;
}

/** The slow path of loads and stores: accesses that miss the TLB. */
export class DataAccess {
  readonly fault: Fault = {
    stage2: false,
    status: 0,
    distance: 0,
    ipa: 0,
    inWalk: false,
    guest: false,
    write: false,
    maintenance: false,
    again: false,
  };
  readonly #memory: LinearMemory;
  readonly #code: CodeCache;
  readonly #effort: Effort;
  #context: Context | undefined;
  /** Of a debugger; whoever changes them flushes the TLBs. */
  watchpoints: Watchpoints | undefined;
  /** Destination of a write that went to the bounce buffer. */
  readonly #bounce = { first: 0, second: 0, firstBytes: 0 };

  constructor(memory: LinearMemory, code: CodeCache, effort: Effort) {
    this.#memory = memory;
    this.#effort = effort;
    this.#code = code;
  }

  /** Selects the context of the accesses that follow. */
  use(context: Context): void {
    this.#context = context;
  }

  /** Function imports of generated code, see tier0/imports.ts. Each returns an offset in linear memory, or -1. */
  readonly slowRead = (bytes: number, align: number): number => this.#access(bytes, align, Access.Read);
  readonly slowWrite = (bytes: number, align: number): number => this.#access(bytes, align, Access.Write);
  readonly slowModify = (bytes: number, align: number): number =>
    this.#access(bytes, align, Access.Read | Access.Write);

  readonly commitWrite = (bytes: number): number => {
    const { first, second, firstBytes } = this.#bounce;
    const { u8 } = this.#memory;
    u8.copyWithin(first, VcpuState.SlowData, VcpuState.SlowData + firstBytes);
    u8.copyWithin(second, VcpuState.SlowData + firstBytes, VcpuState.SlowData + bytes);
    this.#code.written(first, firstBytes);
    this.#code.written(second, bytes - firstBytes);
    return 0;
  };

  /** For DC ZVA: the block around `VcpuState.SlowAddress`, which the caller zeroes. */
  readonly slowZero = (): number => {
    this.#effort.called += Cost.SlowAccess;
    const context = this.#context;
    if (context === undefined) return -1;
    const address = readAddress(this.#memory.u32, VcpuState.SlowAddress, context.topByteIgnored);
    const place = this.#locate(context, address, 0, Access.Write | Access.Misaligned, context.el);
    if (place < 0) return place;
    const first = address - (place % ZVA_BYTES);
    if (this.watchpoints?.stops(first, ZVA_BYTES, Access.Write) === true) return this.#again();
    return this.#toCode(place - (place % ZVA_BYTES), ZVA_BYTES);
  };

  /**
   * Cache maintenance by the address in `VcpuState.SlowAddress`, which does nothing but fault. Stage 2 faults are those
   * of the table walk only: nothing of a page that stage 2 does not map is cached.
   *
   * @param access what is required, as bits of `Access`
   * @returns -1 if it faults, else 0
   */
  maintain(access: number): number {
    const context = this.#context;
    if (context === undefined) return -1;
    const address = readAddress(this.#memory.u32, VcpuState.SlowAddress, context.topByteIgnored);
    const translation = context.regime.translate(address, access | Access.Speculative, context.el);
    const { place, stage2, inWalk } = translation;
    if (place >= 0 || (stage2 && !inWalk)) return 0;
    this.#fail(translation, 0, true);
    this.fault.maintenance = true;
    return -1;
  }

  /** A fault of an address translation instruction that EL2 takes: one of stage 2 in the table walk. */
  failTranslation({
    status,
    ipa,
    guest,
  }: {
    readonly status: number;
    readonly ipa: number;
    readonly guest: boolean;
  }): void {
    this.#fail({ status, stage2: true, ipa, inWalk: true, guest }, 0, true);
    this.fault.maintenance = true;
  }

  #access(bytes: number, alignAndFlags: number, kind: number): number {
    const place = this.#reach(bytes, alignAndFlags, kind);
    if (this.watchpoints === undefined || (place < 0 && !this.fault.stage2)) return place;
    const context = this.#context;
    const address = readAddress(this.#memory.u32, VcpuState.SlowAddress, context?.topByteIgnored ?? 0);
    return this.watchpoints.stops(address, bytes, kind) ? this.#again() : place;
  }

  #reach(bytes: number, alignAndFlags: number, kind: number): number {
    this.#effort.called += Cost.SlowAccess;
    const context = this.#context;
    if (context === undefined) return -1;
    const write = (kind & Access.Write) !== 0;
    const { u32 } = this.#memory;
    const address = readAddress(u32, VcpuState.SlowAddress, context.topByteIgnored);
    const align = alignAndFlags & ~(MUST_ALIGN | ORDERED | UNPRIVILEGED);
    const misaligned = ((u32[VcpuState.SlowAddress >> 2] ?? 0) & (align - 1)) !== 0;
    // Before translation if it faults for every memory type, else during it (Arm ARM, AArch64.MemSingleRead).
    if (misaligned && (context.checksAlignment || mustAlign(context, address, bytes, alignAndFlags))) {
      return this.#fail(ALIGNMENT, 0, write);
    }
    const access = misaligned ? kind | Access.Misaligned : kind;
    const el = (alignAndFlags & UNPRIVILEGED) === 0 ? context.el : context.unprivileged;
    const first = this.#locate(context, address, 0, access, el);
    const firstBytes = PAGE - inPage(address);
    if (first < 0 || firstBytes >= bytes) {
      return first >= 0 && write ? this.#toCode(first, bytes) : first;
    }
    const second = this.#locate(context, address + firstBytes, firstBytes, access, el);
    if (second < 0) return second;
    if (write) {
      if (this.#code.releaseBlocks(first) || this.#code.releaseBlocks(second)) return this.#again();
      Object.assign(this.#bounce, { first, second, firstBytes });
    } else {
      const { u8 } = this.#memory;
      u8.copyWithin(VcpuState.SlowData, first, first + firstBytes);
      u8.copyWithin(VcpuState.SlowData + firstBytes, second, second + bytes - firstBytes);
    }
    return VcpuState.SlowData;
  }

  /** Has code that is about to be overwritten decoded again. */
  #toCode(place: number, bytes: number): number {
    if (!this.#code.hasCode(place - (place % PAGE))) return place;
    return this.#code.storing(place, bytes) ? this.#again() : place;
  }

  #again(): -1 {
    this.fault.again = true;
    return -1;
  }

  /**
   * Translates an address and fills the TLB.
   *
   * @param distance from `VcpuState.SlowAddress` to the address
   * @returns the place, or -1 with `fault` filled
   */
  #locate(context: Context, address: number, distance: number, access: number, el: ExceptionLevel): number {
    const known = context.tlbs.find(address, access, el);
    if (known >= 0) {
      const offset = known - (known % PAGE);
      if ((access & Access.Write) !== 0 && !this.#code.hasCode(offset)) context.tlbs.permitStores(address, el, offset);
      return known;
    }
    const translation = context.regime.translate(address, access, el);
    const { place } = translation;
    if (place < 0) return this.#fail(translation, distance, writes(access, translation));
    // Accesses to watched pages always take the slow path.
    if (this.watchpoints?.covers(address - inPage(address)) === true) return place;
    context.tlbs.fill(address, translation, el, !this.#code.hasCode(place - (place % PAGE)));
    return place;
  }

  #fail({ status, stage2, ipa, inWalk, guest }: Failure, distance: number, write: boolean): -1 {
    const { fault } = this;
    fault.again = false;
    fault.maintenance = false;
    fault.stage2 = stage2;
    fault.status = status;
    fault.distance = distance;
    fault.ipa = ipa;
    fault.inWalk = inWalk;
    fault.guest = guest === true;
    fault.write = write;
    return -1;
  }
}

/** Whether a misaligned access faults whatever the memory type (Arm ARM, AArch64.UnalignedAccessFaults). */
function mustAlign(context: Context, address: number, bytes: number, flags: number): boolean {
  if ((flags & MUST_ALIGN) === 0) return false;
  if ((flags & ORDERED) !== 0 && context.ordersUnaligned) return false;
  return (address & (QUANTITY - 1)) + bytes > QUANTITY;
}

type Failure = Pick<Translation, 'status' | 'stage2' | 'ipa' | 'inWalk' | 'guest'>;

const ALIGNMENT: Failure = { status: FaultStatus.Alignment, stage2: false, ipa: 0, inWalk: false };

/**
 * ISS.WnR of a fault. Of an atomic instruction it is 0 if a read would have faulted as well (Arm ARM, D24.2.40); stage
 * 2 faults of those are reported as writes.
 */
function writes(access: number, { status, stage2, inWalk, walkWrites, allowed }: Translation): boolean {
  if (stage2 && inWalk && walkWrites === true) return true;
  if ((access & Access.Write) === 0) return false;
  if (stage2 || (access & Access.Read) === 0) return true;
  return status >= FaultStatus.Permission && (allowed & Access.Read) !== 0;
}
