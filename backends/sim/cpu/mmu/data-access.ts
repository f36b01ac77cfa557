import type { CodeCache } from '../code/code-cache.ts';
import type { Context } from '../pe/context.ts';
import { Cost, type Effort } from '../effort.ts';
import { ADDRESS_LIMIT, readNumber } from './guest-number.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { Tlb, tlbSet, VcpuState } from '../layout.ts';
import { MUST_ALIGN } from '../tier0/imports.ts';
import { Permission } from '../types.ts';

const PAGE = 4096;
const NO_TAG = 0xffff_ffff_ffff_ffffn;

/** Fault status codes (Arm ARM, D24.2.40, DFSC). Those of stage 2 have the level added. */
export const FaultStatus = { AddressSize: 0x00, Translation: 0x04, Permission: 0x0c, Alignment: 0x21 } as const;

/** What is known of a memory access that faulted. */
export interface Fault {
  /** Taken to EL2 when true, else to EL1. */
  stage2: boolean;
  status: number;
  /** Faulting address; for stage 2 below 2^48, and the intermediate physical address too, since stage 1 is off. */
  address: number;
  write: boolean;
  /** No fault after all: the instruction is to be executed again, since the code that it is part of was taken back. */
  again: boolean;
}

/**
 * The slow path of loads and stores: what the TLB does not answer. Stage 1 is off, so memory is Device-nGnRnE and every
 * misaligned access faults (Arm ARM, D8.2.11 and B2.13.2).
 */
export class DataAccess {
  readonly fault: Fault = { stage2: false, status: 0, address: 0, write: false, again: false };
  readonly #memory: LinearMemory;
  readonly #code: CodeCache;
  readonly #effort: Effort;
  #context: Context | undefined;
  /** Where a write that went to the bounce buffer belongs. */
  readonly #bounce = { first: 0, second: 0, firstBytes: 0 };

  constructor(memory: LinearMemory, code: CodeCache, effort: Effort) {
    this.#memory = memory;
    this.#effort = effort;
    this.#code = code;
  }

  /** The context whose accesses follow. */
  use(context: Context): void {
    this.#context = context;
  }

  /** Function imports of generated code; see tier0/imports.ts. Each returns a place in linear memory, or -1. */
  readonly slowRead = (bytes: number, align: number): number => this.#access(bytes, align, false, Permission.R);
  readonly slowWrite = (bytes: number, align: number): number => this.#access(bytes, align, true, Permission.W);
  readonly slowModify = (bytes: number, align: number): number =>
    this.#access(bytes, align, true, Permission.R | Permission.W);

  readonly commitWrite = (bytes: number): number => {
    const { first, second, firstBytes } = this.#bounce;
    const { u8 } = this.#memory;
    u8.copyWithin(first, VcpuState.SlowData, VcpuState.SlowData + firstBytes);
    u8.copyWithin(second, VcpuState.SlowData + firstBytes, VcpuState.SlowData + bytes);
    this.#code.written(first, firstBytes);
    this.#code.written(second, bytes - firstBytes);
    return 0;
  };

  #access(bytes: number, alignAndFlags: number, write: boolean, permissions: number): number {
    this.#effort.called += Cost.SlowAccess;
    const address = readNumber(this.#memory.u32, VcpuState.SlowAddress);
    const align = alignAndFlags & ~MUST_ALIGN;
    if (address + bytes > ADDRESS_LIMIT) return this.#fail(false, FaultStatus.AddressSize, address, write);
    if (address % align !== 0) return this.#fail(false, FaultStatus.Alignment, address, write);
    const first = this.locate(address, write, permissions);
    const firstBytes = PAGE - (address % PAGE);
    if (first < 0 || firstBytes >= bytes) {
      return first >= 0 && write ? this.#toCode(first, bytes) : first;
    }
    const second = this.locate(address + firstBytes, write, permissions);
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

  /** Makes sure that code which is about to be written over is decoded again. */
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

  /** Offset in linear memory of an address below 2^48, filling the TLB; or -1 with `fault` filled. */
  locate(address: number, write: boolean, permissions: number): number {
    const context = this.#context;
    if (context === undefined) return -1;
    const page = address - (address % PAGE);
    const mapping = context.stage2.translate(page);
    if (mapping.offset < 0) return this.#fail(true, FaultStatus.Translation + mapping.level, address, write);
    if ((mapping.permissions & permissions) !== permissions) {
      return this.#fail(true, FaultStatus.Permission + mapping.level, address, write);
    }
    this.#fill(context, page, mapping.offset, mapping.permissions);
    return mapping.offset + (address - page);
  }

  #fill(context: Context, page: number, offset: number, permissions: number): void {
    const entry = tlbSet(context.index).tlb + ((page / PAGE) % Tlb.Entries) * Tlb.EntryBytes;
    const tag = BigInt(page);
    const readable = (permissions & Permission.R) !== 0;
    // Writes to pages of code, and to pages that cannot be read, stay on the slow path.
    const writable = (permissions & Permission.W) !== 0 && readable && !this.#code.hasCode(offset);
    this.#memory.u64[(entry + Tlb.ReadTag) >> 3] = readable ? tag : NO_TAG;
    this.#memory.u64[(entry + Tlb.WriteTag) >> 3] = writable ? tag : NO_TAG;
    this.#memory.i32[(entry + Tlb.Addend) >> 2] = (offset - page) % 2 ** 32;
  }

  #fail(stage2: boolean, status: number, address: number, write: boolean): -1 {
    this.fault.again = false;
    this.fault.stage2 = stage2;
    this.fault.status = status;
    this.fault.address = address;
    this.fault.write = write;
    return -1;
  }
}
