import type { CodeCache } from '../code/code-cache.ts';
import type { Context } from '../pe/context.ts';
import { Cost, type Effort } from '../effort.ts';
import { inPage, pageOf, readSigned, tlbIndex } from './virtual-address.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { Tlb, tlbSet, VcpuState } from '../layout.ts';
import { MUST_ALIGN } from '../tier0/imports.ts';
import { Access, FaultStatus, type Translation } from './regime.ts';

const PAGE = 4096;
const NO_TAG = 0xffff_ffff_ffff_ffffn;

/** A memory access that faulted. */
export interface Fault {
  /** Whether EL2 takes the fault; if not, EL1 does. */
  stage2: boolean;
  status: number;
  /** Faulting address; in the second page if only the part there faulted. */
  address: number;
  /** For a stage 2 fault: the intermediate physical address. */
  ipa: number;
  write: boolean;
  /** No fault: the instruction must be executed again, since its compiled block was discarded. */
  again: boolean;
}

/** The slow path of loads and stores: accesses that miss the TLB. */
export class DataAccess {
  readonly fault: Fault = { stage2: false, status: 0, address: 0, ipa: 0, write: false, again: false };
  readonly #memory: LinearMemory;
  readonly #code: CodeCache;
  readonly #effort: Effort;
  #context: Context | undefined;
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

  #access(bytes: number, alignAndFlags: number, kind: number): number {
    this.#effort.called += Cost.SlowAccess;
    const write = (kind & Access.Write) !== 0;
    const { u32 } = this.#memory;
    const address = readSigned(u32, VcpuState.SlowAddress);
    const misaligned = ((u32[VcpuState.SlowAddress >> 2] ?? 0) & ((alignAndFlags & ~MUST_ALIGN) - 1)) !== 0;
    // Before translation if it faults for every memory type, else during it (Arm ARM, AArch64.MemSingleRead).
    if (misaligned && (alignAndFlags & MUST_ALIGN) !== 0) return this.#fail(FaultStatus.Alignment, address, write);
    const access = misaligned ? kind | Access.Misaligned : kind;
    const first = this.#locate(address, access, write);
    const firstBytes = PAGE - inPage(address);
    if (first < 0 || firstBytes >= bytes) {
      return first >= 0 && write ? this.#toCode(first, bytes) : first;
    }
    const second = this.#locate(address + firstBytes, access, write);
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
    if (this.#code.releaseBlocks(place)) return this.#again();
    this.#code.written(place, bytes);
    return place;
  }

  #again(): -1 {
    this.fault.again = true;
    return -1;
  }

  /** Translates an address and fills the TLB. @returns the place, or -1 with `fault` filled */
  #locate(address: number, access: number, write: boolean): number {
    const context = this.#context;
    if (context === undefined) return -1;
    const { el } = context;
    const translation = context.regime.translate(address, access, el);
    const { place, status, stage2, ipa } = translation;
    if (place < 0) return this.#fail(status, address, write, stage2, ipa);
    this.#fill(tlbSet(context.index, el).tlb, pageOf(address), translation);
    return place;
  }

  #fill(tlb: number, page: number, { place, allowed }: Translation): void {
    const entry = tlb + tlbIndex(page, Tlb.Entries) * Tlb.EntryBytes;
    const offset = place - (place % PAGE);
    const tag = BigInt(page);
    const readable = (allowed & Access.Read) !== 0;
    // Writes to pages of code, and to pages that cannot be read, always take the slow path.
    const writable = (allowed & Access.Write) !== 0 && readable && !this.#code.hasCode(offset);
    this.#memory.u64[(entry + Tlb.ReadTag) >> 3] = readable ? tag : NO_TAG;
    this.#memory.u64[(entry + Tlb.WriteTag) >> 3] = writable ? tag : NO_TAG;
    this.#memory.i32[(entry + Tlb.Addend) >> 2] = offset - page;
  }

  #fail(status: number, address: number, write: boolean, stage2 = false, ipa = 0): -1 {
    const { fault } = this;
    fault.again = false;
    fault.stage2 = stage2;
    fault.status = status;
    fault.address = address;
    fault.ipa = ipa;
    fault.write = write;
    return -1;
  }
}
