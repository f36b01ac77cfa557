import { EL2_REGISTERS, el2Block } from '../../layout.ts';
import type { LinearMemory } from '../../linear-memory.ts';

/** Bits 31:0 of HCR_EL2 (Arm ARM, D24.2.53). */
export const Hcr = {
  VM: 1,
  PTW: 1 << 2,
  FMO: 1 << 3,
  IMO: 1 << 4,
  AMO: 1 << 5,
  VF: 1 << 6,
  VI: 1 << 7,
  VSE: 1 << 8,
  FB: 1 << 9,
  DC: 1 << 12,
  TWI: 1 << 13,
  TWE: 1 << 14,
  TID1: 1 << 16,
  TID2: 1 << 17,
  TID3: 1 << 18,
  TSC: 1 << 19,
  TIDCP: 1 << 20,
  TACR: 1 << 21,
  TSW: 1 << 22,
  TPCP: 1 << 23,
  TPU: 1 << 24,
  TTLB: 1 << 25,
  TVM: 1 << 26,
  TGE: 1 << 27,
  TDZ: 1 << 28,
  HCD: 1 << 29,
  TRVM: 1 << 30,
  RW: 1 << 31,
} as const;
/** Bits 63:32 of HCR_EL2. */
export const HcrHigh = { E2H: 1 << 2, APK: 1 << 8, API: 1 << 9, FWB: 1 << 14 } as const;

/** Places of the registers of EL2, by name. */
export const El2Slot = {
  VPIDR: 0,
  VMPIDR: 1,
  SCTLR: 2,
  ACTLR: 3,
  HCR: 4,
  MDCR: 5,
  CPTR: 6,
  HSTR: 7,
  HACR: 8,
  TTBR0: 9,
  TTBR1: 10,
  TCR: 11,
  VTTBR: 12,
  VTCR: 13,
  SPSR: 14,
  ELR: 15,
  SP: 16,
  AFSR0: 17,
  AFSR1: 18,
  ESR: 19,
  FAR: 20,
  HPFAR: 21,
  MAIR: 22,
  AMAIR: 23,
  VBAR: 24,
  CONTEXTIDR: 25,
  TPIDR: 26,
  CNTVOFF: 27,
  CNTHCTL: 28,
  CNTHP_CTL: 29,
  CNTHP_CVAL: 30,
  CNTHV_CTL: 31,
  CNTHV_CVAL: 32,
  ICH_HCR: 33,
  ICH_VMCR: 34,
  ICH_AP0R0: 35,
  ICH_AP1R0: 36,
  /** And the following, one for each list register. */
  ICH_LR0: 37,
} as const;
export type El2Slot = number;

/** What VPIDR_EL2 and VMPIDR_EL2 are at reset: MIDR_EL1 and MPIDR_EL1 of the PE. */
export interface El2Identity {
  readonly midr: bigint;
  readonly mpidr: bigint;
}

/** The registers of EL2 of a context, which are in a block of linear memory that no change of context copies. */
export class El2State {
  readonly #memory: LinearMemory;
  readonly #base: number;

  readonly #identity: El2Identity;

  /** @param context index of the context */
  constructor(memory: LinearMemory, context: number, identity: El2Identity) {
    this.#memory = memory;
    this.#identity = identity;
    this.#base = el2Block(context);
  }

  /** Sets all registers to zero. */
  clear(): void {
    this.block.fill(0);
  }

  /** All of them, as they are in linear memory. */
  get block(): Uint8Array {
    return this.#memory.u8.subarray(this.#base, this.#base + EL2_REGISTERS * 8);
  }

  /** Gives EL1 the identity of the PE. */
  identify(): void {
    this.set(El2Slot.VPIDR, this.#identity.midr);
    this.set(El2Slot.VMPIDR, this.#identity.mpidr);
  }

  get(slot: El2Slot): bigint {
    return this.#memory.u64[(this.#base >> 3) + slot] ?? 0n;
  }
  set(slot: El2Slot, value: bigint): void {
    this.#memory.u64[(this.#base >> 3) + slot] = value;
  }

  /** Bits 31:0, as an unsigned number. */
  low(slot: El2Slot): number {
    return this.#memory.u32[(this.#base >> 2) + 2 * slot] ?? 0;
  }
  /** Bits 63:32. */
  high(slot: El2Slot): number {
    return this.#memory.u32[(this.#base >> 2) + 2 * slot + 1] ?? 0;
  }
  byte(slot: El2Slot, index: number): number {
    return this.#memory.u8[this.#base + slot * 8 + index] ?? 0;
  }

  /** Whether a bit of HCR_EL2 is set. @param bit of `Hcr` */
  hcr(bit: number): boolean {
    return (this.low(El2Slot.HCR) & bit) !== 0;
  }
  /** HCR_EL2.E2H: EL2 has two halves of addresses, and its registers have names of EL1 (FEAT_VHE). */
  get e2h(): boolean {
    return (this.high(El2Slot.HCR) & HcrHigh.E2H) !== 0;
  }
  /** HCR_EL2.TGE: EL0 belongs to EL2. */
  get tge(): boolean {
    return this.hcr(Hcr.TGE);
  }
  /** Whether EL0 is in the EL2&0 regime: HCR_EL2.E2H and TGE. */
  get hosts(): boolean {
    return this.e2h && this.tge;
  }
  /** Whether IRQ (or FIQ) is routed to EL2. */
  routes(kind: 'irq' | 'fiq' | 'serror'): boolean {
    const bit = kind === 'irq' ? Hcr.IMO : kind === 'fiq' ? Hcr.FMO : Hcr.AMO;
    return this.hcr(bit | Hcr.TGE);
  }
  /** Whether virtual interrupts of a kind are delivered to EL1: HCR_EL2.IMO, FMO or AMO, without TGE. */
  virtualizes(kind: 'irq' | 'fiq' | 'serror'): boolean {
    return !this.tge && this.routes(kind);
  }
}
