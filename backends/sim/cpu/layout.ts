/**
 * Layout of a machine's linear memory. The first page is the state of the running vCPU: generated code accesses it with
 * constant addresses, and a change of plane or vCPU copies a block in and out.
 */

/** The part of the state that each plane has for itself, at address 0. */
export const ContextState = {
  /** X0 to X30, 8 bytes each. */
  X: 0x000,
  /** Always zero: XZR and WZR as sources. */
  Zero: 0x0f8,
  /** SP selected by the current PSTATE. */
  Sp: 0x100,
  /** XZR and WZR as destinations. */
  Discard: 0x108,
  Pc: 0x110,
  /** i64 whose sign is PSTATE.N. */
  N: 0x118,
  /** i64 that is zero if PSTATE.Z is one. */
  Z: 0x120,
  /** i32, 0 or 1. */
  C: 0x128,
  V: 0x12c,
  /** PSTATE except NZCV, in SPSR format; in place of N and Z `LEAVES`. */
  Pstate: 0x130,
  /** Address of the exclusive monitor, or all ones in the Open Access state. */
  ExclusiveAddress: 0x138,
  /** The value that the load-exclusive read: up to 16 bytes. */
  ExclusiveValue: 0x140,
  /** Number of bytes that the load-exclusive read. */
  ExclusiveSize: 0x150,
  /** SP_EL0 and SP_EL1; the selected one is stale, since its value is in `Sp`. */
  SpEl0: 0x158,
  SpEl1: 0x160,
  /** System registers, 8 bytes each, in the order of pe/system-registers.ts. */
  Sysregs: 0x168,
  /** Which bits of pointers hold authentication codes: 8 bytes each, see `pacMask`. */
  PacMasks: 0x700,
  Size: 0x760,
} as const;

/**
 * In `ContextState.Pstate`: whether the run loop executes what generated code would do itself otherwise, because EL2
 * traps it or has other registers by that name: moves of system registers of EL1, and DC ZVA.
 */
export const LEAVES = { Moves: 1 << 31, Zeroes: 1 << 30, Mask: 0xc000_0000 } as const;

/** Uses of a pointer that have a mask: one for each key while it is enabled, in the order of ISS, and for any key. */
export const PacMask = { Ia: 0, Ib: 1, Da: 2, Db: 3, AnyInstruction: 4, AnyData: 5 } as const;

/** Offset in a context of a mask. @param half bit 55 of the pointer */
export function pacMask(use: number, half: 0 | 1): number {
  return ContextState.PacMasks + (use * 2 + half) * 8;
}

/** State of a vCPU that its planes share, and parameters between generated code and the run loop. */
export const VcpuState = {
  /** V0 to V31, 16 bytes each. */
  V: 0x800,
  Fpcr: 0xa00,
  Fpsr: 0xa08,
  /**
   * Whether generated code may use its own floating-point results, which are those of the default mode; i32, 0 or 1.
   * `FloatDefault`: FPCR asks for that mode. `FloatSettled`: also, FPSR.IXC is set, so that inexact results change
   * nothing. Both are 0 after FPCR and FPSR were written; the exact unit then finds out.
   */
  FloatDefault: 0xa10,
  FloatSettled: 0xa14,
  EsrEl2: 0xa18,
  FarEl2: 0xa20,
  HpfarEl2: 0xa28,
  /** Address of a memory access that leaves the fast path. */
  SlowAddress: 0xa30,
  /** Its data, up to 64 bytes. */
  SlowData: 0xa40,
  /** Record and limit at which generated code returned. */
  ExitRecord: 0xa80,
  ExitLimit: 0xa84,
  /** Base of the data TLB and the instruction TLB of the active context at its Exception level. */
  Tlb: 0xa88,
  Itlb: 0xa8c,
  /** Base of the data TLB of the active context at EL0, for unprivileged loads and stores. */
  El0Tlb: 0xa90,
  /** What ERETAA and ERETAB found: where to return, and whether authentication failed. */
  EretFails: 0xa94,
  EretTarget: 0xa98,
  /** PSTATE.BTYPE by an indirect branch that left generated code, else zero. The run loop clears it. */
  BranchType: 0xaa0,
  /** State of the generator of RNDR, which all vCPUs of a machine share. */
  Random: 0xaa8,
  /** Bits 63:32 of SCTLR_ELx of the translation regime in use. */
  SctlrHigh: 0xab0,
  End: 0xac0,
} as const;

/** Size of both. */
export const STATE_BYTES = VcpuState.End;

/** Constant tables that generated code looks up. */
export const LookupTable = {
  /** 256 words each, for the two polynomials of CRC32 and CRC32C instructions. */
  Crc32: 0x1000,
  Crc32c: 0x1400,
  /** 256 bytes each: SubBytes of AES and its inverse, and the substitution of SM4. */
  Aes: 0x1800,
  AesInverse: 0x1900,
  Sm4: 0x1a00,
} as const;

/**
 * Layout of a data TLB: direct mapped; tags are page addresses, and all ones in an entry that was dropped. `Info` is
 * what the slow path knows of the entry, as in mmu/tlb-set.ts.
 */
export const Tlb = {
  Entries: 1024,
  EntryBytes: 32,
  ReadTag: 0,
  WriteTag: 8,
  Addend: 16,
  Info: 20,
  /** As `WriteTag`, for DC ZVA, which faults on Device memory. */
  ZeroTag: 24,
} as const;
/**
 * Layout of an instruction TLB: tag and address of the page's records, for generated code; then the same translation to
 * a place in linear memory, which stays when records go.
 */
export const Itlb = {
  Entries: 512,
  EntryBytes: 32,
  Tag: 0,
  Records: 8,
  Place: 12,
  PlaceTag: 16,
  Info: 24,
  /** Whether the page is guarded (GP). */
  Guarded: 28,
} as const;

const TLB_REGION = 0x20_0000;
export const TLB_BYTES = Tlb.Entries * Tlb.EntryBytes;
export const ITLB_BYTES = Itlb.Entries * Itlb.EntryBytes;
/** Pairs of a data TLB and an instruction TLB in a machine; memory is committed as entries are filled. */
export const TLB_SETS = 128;
export const MAX_CONTEXTS = 64;

/** Addresses of the TLBs of a pair. */
export function tlbSetAt(index: number): { tlb: number; itlb: number } {
  const tlb = TLB_REGION + index * (TLB_BYTES + ITLB_BYTES);
  return { tlb, itlb: tlb + TLB_BYTES };
}

/** Saved blocks of contexts that are not active. */
const SAVED_REGION = 0x14_0000;
export function savedContext(context: number): number {
  return SAVED_REGION + context * ContextState.Size;
}

/** Registers of EL2 by context: they are not copied, since generated code does not use them. */
const EL2_REGION = 0x18_0000;
/** Room of a context, in registers of 8 bytes. */
export const EL2_REGISTERS = 64;
export function el2Block(context: number): number {
  return EL2_REGION + context * EL2_REGISTERS * 8;
}

/** Saved blocks of vCPUs that are not running: SIMD&FP registers, FPCR, FPSR and what is known of them. */
const SAVED_VCPU_REGION = 0x16_0000;
export const VCPU_SAVED_BYTES = VcpuState.EsrEl2 - VcpuState.V;
export function savedVcpu(vcpu: number): number {
  return SAVED_VCPU_REGION + vcpu * VCPU_SAVED_BYTES;
}

/**
 * Decoded instructions: 16 bytes each, 1,024 for a page of code, then one that continues on the next page.
 */
export const Record = {
  Bytes: 16,
  Handler: 0,
  /**
   * Operands by name. `Imm` is `Low` and `High` together; `Small` shares its place with `M`, `A` and `S` with `Low`.
   */
  D: 2,
  N: 4,
  M: 6,
  Small: 6,
  A: 8,
  S: 10,
  Imm: 8,
  Low: 8,
  High: 12,
  /** Distance of a branch that writes a link register, whose value is in `Imm`. Other branches use `Imm`. */
  LinkDistance: 4,
} as const;
/**
 * Operand `D` of an instruction to which indirect branches may go in a guarded page: these bits, which no slot has, and
 * bit n for each value of PSTATE.BTYPE with which they may.
 */
export const LANDING_PAD = 0xf000;
export const RECORDS_PER_PAGE = 1024;
export const RECORD_PAGE_BYTES = (RECORDS_PER_PAGE + 1) * Record.Bytes;
export const RECORD_REGION = 0x80_0000;
/** Pages of records that fit below `DRAM_OFFSET`. */
export const RECORD_PAGES = 1700;

/** What DC ZVA zeroes, aligned to its size (DCZID_EL0). */
export const ZVA_BYTES = 64;

/** Where guest physical memory may start. */
export const DRAM_OFFSET = 0x240_0000;
