import type { RegisterAccess } from './registers/row.ts';
import { ExceptionClass, type CpuContext, type Stage2, type Traps } from '../types.ts';
import type { ExceptionLevel } from '../exception-level.ts';
import type { Regime } from '../mmu/regime.ts';
import { ContextTlbs } from '../mmu/context-tlbs.ts';
import { Sctlr, type Stage1Registers } from '../mmu/stage1-walk.ts';
import { Stage1 } from '../mmu/stage1.ts';
import { Stage2Access } from '../mmu/stage2-access.ts';
import type { TlbInvalidation } from '../mmu/tlb-invalidation.ts';
import type { TlbPool } from '../mmu/tlb-pool.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { timerDeadline } from './generic-timer.ts';
import { writePacMasks } from './pac-masks.ts';
import { exceptionEntry, Pstate, validTarget } from './pstate.ts';
import { findSysreg, slotOf, sysreg, sysregs } from './system-registers.ts';
import { ContextState, savedContext } from '../layout.ts';

const SCTLR_EL1 = slotOf('SCTLR_EL1');
const VBAR_EL1 = slotOf('VBAR_EL1');
const ESR_EL1 = slotOf('ESR_EL1');
const FAR_EL1 = slotOf('FAR_EL1');
const ELR_EL1 = slotOf('ELR_EL1');
const SPSR_EL1 = slotOf('SPSR_EL1');
const CPACR_EL1 = slotOf('CPACR_EL1');
const CNTKCTL_EL1 = slotOf('CNTKCTL_EL1');
const CNTV_CTL_EL0 = slotOf('CNTV_CTL_EL0');
const CNTV_CVAL_EL0 = slotOf('CNTV_CVAL_EL0');
const CNTP_CTL_EL0 = slotOf('CNTP_CTL_EL0');
const CNTP_CVAL_EL0 = slotOf('CNTP_CVAL_EL0');

const TCR_EL1 = slotOf('TCR_EL1');
const TTBR_EL1 = [slotOf('TTBR0_EL1'), slotOf('TTBR1_EL1')] as const;
const MAIR_EL1 = slotOf('MAIR_EL1');

/** Offsets of the vectors of IRQ and FIQ from that of a synchronous exception. */
const IRQ_VECTOR = 0x80n;
const FIQ_VECTOR = 0x100n;
/** Fields of PSTATE that decide which TLBs are used. */
const SELECTS_TLBS = Pstate.El | Pstate.Pan | Pstate.Uao;
/** SCTLR_EL1.EPAN, in bits 63:32. */
const EPAN = 1 << 25;
/** TCR_EL1.TBI0 and TBI1, in bits 63:32. */
const TBI_SHIFT = 5;
/** TCR_EL1.TBID0 and TBID1, in bits 63:32. */
const TBID_SHIFT = 19;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** Makes the translation regime of a context. */
export type RegimeFactory = (stage2: Stage2, registers: Stage1Registers) => Regime;

/** A plane on a vCPU. An active context is at address 0 of linear memory, an inactive one in a block of its own. */
export class Context implements CpuContext, RegisterAccess, Stage1Registers {
  readonly index: number;
  readonly traps: Traps = { wfi: false, wfe: false, simd: false };
  readonly tlbs: ContextTlbs;
  #active = false;
  readonly #memory: LinearMemory;
  readonly #makeRegime: RegimeFactory;
  #stage2: Stage2;
  #regime: Regime;
  #stage1: Stage1;

  constructor(memory: LinearMemory, pool: TlbPool, index: number, stage2: Stage2, makeRegime: RegimeFactory) {
    this.#memory = memory;
    this.index = index;
    this.#makeRegime = makeRegime;
    this.#stage2 = stage2;
    this.#regime = makeRegime(stage2, this);
    this.#stage1 = new Stage1(memory.u32, this, new Stage2Access(stage2));
    this.tlbs = new ContextTlbs(memory, pool, this);
    this.reset(stage2);
  }

  get stage2(): Stage2 {
    return this.#stage2;
  }

  /** How its addresses are translated. */
  get regime(): Regime {
    return this.#regime;
  }

  /** Stage 1 alone, for address translation instructions. */
  get stage1(): Stage1 {
    return this.#stage1;
  }

  reset(stage2: Stage2): void {
    if (stage2 !== this.#stage2) {
      this.#regime = this.#makeRegime(stage2, this);
      this.#stage1 = new Stage1(this.#memory.u32, this, new Stage2Access(stage2));
    }
    this.#stage2 = stage2;
    this.traps.wfi = this.traps.wfe = this.traps.simd = false;
    this.#memory.u8.fill(0, this.base, this.base + ContextState.Size);
    for (const register of sysregs) {
      if (register.slot >= 0 && register.slot < ContextState.Size) this.#set(register.slot, register.reset);
    }
    this.#set(ContextState.Z, 1n);
    this.#set(ContextState.ExclusiveAddress, ALL_ONES);
    this.#memory.u32[(this.base + ContextState.Pstate) >> 2] = Pstate.El1h | Pstate.Daif;
    this.flushTlb();
    this.stage1Changed('controls');
  }

  /** A copy of its registers, as they are in linear memory. */
  save(): Uint8Array {
    return this.#memory.u8.slice(this.base, this.base + ContextState.Size);
  }

  /** @param registers of a context with the same stage 2 */
  restore(registers: Uint8Array): void {
    this.#memory.u8.set(registers, this.base);
    this.flushTlb();
    this.stage1Changed('controls');
    this.stage1Changed('tables');
  }

  /** Whether its state is at address 0, for generated code. */
  get active(): boolean {
    return this.#active;
  }
  set active(active: boolean) {
    this.#active = active;
    this.#selectTlbs();
  }

  get base(): number {
    return this.active ? 0 : savedContext(this.index);
  }
  get gprsOffset(): number {
    return this.base + ContextState.X;
  }
  get pcOffset(): number {
    return this.base + ContextState.Pc;
  }

  get pc(): bigint {
    return this.#get(ContextState.Pc);
  }
  set pc(value: bigint) {
    this.#set(ContextState.Pc, value);
  }

  get pstate(): number {
    const words = this.#memory.u32;
    const at = (offset: number): number => words[(this.base + offset) >> 2] ?? 0;
    const negative = (at(ContextState.N + 4) >>> 31) << 31;
    const zero = at(ContextState.Z) === 0 && at(ContextState.Z + 4) === 0 ? 1 << 30 : 0;
    return (negative | zero | (at(ContextState.C) << 29) | (at(ContextState.V) << 28) | at(ContextState.Pstate)) >>> 0;
  }
  set pstate(value: number) {
    if (!validTarget(value)) return;
    this.setMode(value);
    this.setNzcv(value);
  }

  /** Sets PSTATE except NZCV, and selects the stack pointer. */
  setMode(value: number): void {
    const words = this.#memory.u32;
    const at = (this.base + ContextState.Pstate) >> 2;
    const old = words[at] ?? 0;
    const next = (value & ~Pstate.Nzcv) >>> 0;
    if (usesSpEl1(old) !== usesSpEl1(next)) {
      this.#set(usesSpEl1(old) ? ContextState.SpEl1 : ContextState.SpEl0, this.sp);
      this.#set(ContextState.Sp, this.#get(usesSpEl1(next) ? ContextState.SpEl1 : ContextState.SpEl0));
    }
    words[at] = next;
    if (((old ^ next) & SELECTS_TLBS) !== 0) this.#selectTlbs();
  }

  /** Gives generated code the TLBs that its accesses use now. */
  #selectTlbs(): void {
    if (this.#active) this.tlbs.select();
  }

  setNzcv(value: number): void {
    const words = this.#memory.u32;
    this.#set(ContextState.N, value >>> 31 === 1 ? ALL_ONES : 0n);
    this.#set(ContextState.Z, (value & (1 << 30)) === 0 ? 1n : 0n);
    words[(this.base + ContextState.C) >> 2] = (value >>> 29) & 1;
    words[(this.base + ContextState.V) >> 2] = (value >>> 28) & 1;
  }

  get el(): ExceptionLevel {
    // Safe: the field has two bits.
    return (((this.#memory.u32[(this.base + ContextState.Pstate) >> 2] ?? 0) & Pstate.El) >> 2) as ExceptionLevel;
  }

  get sp(): bigint {
    return this.#get(ContextState.Sp);
  }
  x(n: number): bigint {
    return this.#get(ContextState.X + n * 8);
  }
  setX(n: number, value: bigint): void {
    this.#set(ContextState.X + n * 8, value);
  }

  advancePc(bytes: number): void {
    const words = this.#memory.u32;
    const at = this.pcOffset >> 2;
    const low = (words[at] ?? 0) + bytes;
    words[at] = low;
    if (low > 0xffff_ffff) words[at + 1] = (words[at + 1] ?? 0) + 1;
  }

  sysreg(encoding: number): bigint | undefined {
    if (encoding === sysreg.SP_EL0 || encoding === sysreg.SP_EL1) return this.#get(this.#spSlot(encoding));
    const slot = ownSlot(encoding);
    return slot < 0 ? undefined : this.#get(slot);
  }
  sysregOffset(encoding: number): number {
    const slot = ownSlot(encoding);
    return slot < 0 ? -1 : this.base + slot;
  }
  setSysreg(encoding: number, value: bigint): boolean {
    if (encoding === sysreg.SP_EL0 || encoding === sysreg.SP_EL1) {
      this.#set(this.#spSlot(encoding), value);
      return true;
    }
    const slot = ownSlot(encoding);
    if (slot < 0) return false;
    this.#set(slot, value);
    this.stage1Changed(findSysreg(encoding)?.stage1);
    return true;
  }
  #spSlot(encoding: number): number {
    const el1 = encoding === sysreg.SP_EL1;
    if (usesSpEl1(this.#memory.u32[(this.base + ContextState.Pstate) >> 2] ?? 0) === el1) return ContextState.Sp;
    return el1 ? ContextState.SpEl1 : ContextState.SpEl0;
  }

  /** Guest time at which one of the timers signals next; see `Vcpu.timerDeadline`. */
  get timerDeadline(): number {
    return Math.min(this.deadlineOf('virtual'), this.deadlineOf('physical'));
  }

  /** Guest time at which the virtual or the physical timer signals; Infinity if it will not. */
  deadlineOf(timer: 'virtual' | 'physical'): number {
    const [control, compare] =
      timer === 'virtual' ? ([CNTV_CTL_EL0, CNTV_CVAL_EL0] as const) : ([CNTP_CTL_EL0, CNTP_CVAL_EL0] as const);
    return timerDeadline(this.#low(control), this.#get(compare));
  }

  get cntkctl(): number {
    return this.#low(CNTKCTL_EL1);
  }

  /** Whether PSTATE masks an interrupt. */
  masks(kind: 'irq' | 'fiq'): boolean {
    return (this.#low(ContextState.Pstate) & (kind === 'irq' ? Pstate.I : Pstate.F)) !== 0;
  }

  /**
   * Exception level to which SIMD&FP instructions trap, by CPACR_EL1.FPEN or CPTR_EL2.TFP; undefined if they do not.
   */
  get simdTrap(): 1 | 2 | undefined {
    const fpen = ((this.#memory.u32[(this.base + CPACR_EL1) >> 2] ?? 0) >>> 20) & 3;
    if (fpen !== 3 && (fpen !== 1 || this.el === 0)) return 1;
    return this.traps.simd ? 2 : undefined;
  }

  get mmuEnabled(): boolean {
    return (this.sctlr & Sctlr.M) !== 0;
  }
  /** Whether every misaligned access faults, to memory of any type. */
  get checksAlignment(): boolean {
    return (this.sctlr & Sctlr.A) !== 0;
  }
  /** Whether ordered accesses may be misaligned, to Normal memory. */
  get ordersUnaligned(): boolean {
    return (this.sctlr & Sctlr.nAA) !== 0;
  }
  /** Bit n: the top byte of addresses of TTBRn_EL1 is a tag, with the MMU on or off. */
  get topByteIgnored(): number {
    return (this.tcrHigh >>> TBI_SHIFT) & 3;
  }

  /** The same for addresses of instructions: TCR_EL1.TBIDn keeps the tag in them. */
  get topByteIgnoredByBranches(): number {
    return this.topByteIgnored & ~(this.tcrHigh >>> TBID_SHIFT);
  }

  get sctlr(): number {
    return this.#low(SCTLR_EL1);
  }
  get sctlrHigh(): number {
    return this.#low(SCTLR_EL1 + 4);
  }
  get epan(): boolean {
    return (this.sctlrHigh & EPAN) !== 0;
  }
  get tcrLow(): number {
    return this.#low(TCR_EL1);
  }
  get tcrHigh(): number {
    return this.#low(TCR_EL1 + 4);
  }
  ttbrLow(half: 0 | 1): number {
    return this.#low(TTBR_EL1[half]);
  }
  ttbrHigh(half: 0 | 1): number {
    return this.#low(TTBR_EL1[half] + 4);
  }
  mair(index: number): number {
    return this.#memory.u8[this.base + MAIR_EL1 + index] ?? 0;
  }
  get pan(): boolean {
    return (this.#low(ContextState.Pstate) & Pstate.Pan) !== 0;
  }

  get uao(): boolean {
    return (this.#low(ContextState.Pstate) & Pstate.Uao) !== 0;
  }
  /** The Exception level whose permissions LDTR and STTR have. */
  get unprivileged(): ExceptionLevel {
    return this.uao ? this.el : 0;
  }

  /** To be called after a write of a register that controls stage 1, or names its tables; `undefined` for others. */
  stage1Changed(what: 'controls' | 'tables' | undefined): void {
    if (what === undefined) return;
    if (what === 'tables') this.tlbs.tablesChanged();
    else {
      writePacMasks(this.#memory.u32, this.base, this);
      if (this.tlbs.controlChanged()) this.#regime.dropWalks?.();
    }
    this.#selectTlbs();
  }

  /** TLB maintenance. */
  invalidateTlb(request: TlbInvalidation): void {
    if (!request.lastLevel) this.#regime.dropWalks?.();
    this.tlbs.invalidate(request);
    this.#selectTlbs();
  }

  takeException(esr: number, far: bigint): void {
    const ec = esr >>> 26;
    const hasFar =
      ec === ExceptionClass.InstructionAbortLower ||
      ec === ExceptionClass.InstructionAbortSame ||
      ec === ExceptionClass.DataAbortLower ||
      ec === ExceptionClass.DataAbortSame ||
      ec === ExceptionClass.PcAlignment;
    if (hasFar) this.#set(FAR_EL1, far);
    this.#set(ESR_EL1, BigInt(esr >>> 0));
    this.#enterEl1(0n);
  }

  /** Takes an IRQ or FIQ to EL1 at the current PC. */
  takeInterrupt(kind: 'irq' | 'fiq'): void {
    this.#enterEl1(kind === 'irq' ? IRQ_VECTOR : FIQ_VECTOR);
  }

  /** @param offset of the kind of exception among the vectors of where it comes from */
  #enterEl1(offset: bigint): void {
    const oldPstate = this.pstate;
    this.#set(ELR_EL1, this.pc);
    this.#set(SPSR_EL1, BigInt(oldPstate));
    const sctlr = this.#memory.u32[(this.base + SCTLR_EL1) >> 2] ?? 0;
    const { pstate, vector } = exceptionEntry(oldPstate, sctlr, this.sctlrHigh);
    this.setMode(pstate);
    this.#set(ContextState.ExclusiveAddress, ALL_ONES);
    this.pc = BigInt.asUintN(64, (this.#get(VBAR_EL1) & ~0x7ffn) + vector + offset);
  }

  /**
   * ERET by SPSR_EL1; an illegal return sets PSTATE.IL and stays at the current Exception level.
   *
   * @param target the address; default ELR_EL1
   */
  exceptionReturn(target = this.#get(ELR_EL1)): void {
    const spsr = Number(BigInt.asUintN(32, this.#get(SPSR_EL1)));
    this.pc = target;
    this.#set(ContextState.ExclusiveAddress, ALL_ONES);
    if (validTarget(spsr)) {
      this.pstate = spsr;
    } else {
      this.setMode((this.pstate & (Pstate.Mode | Pstate.Daif)) | Pstate.Il);
      this.setNzcv(spsr);
    }
  }

  /** Drops what TLBs hold of stage 1 and stage 2. */
  flushTlb(): void {
    this.#regime.dropWalks?.();
    this.tlbs.flush();
    this.#selectTlbs();
  }

  /** Whether SIMD&FP instructions execute; what is decoded otherwise is kept from generated code. */
  fetchesSimd(): boolean {
    const allowed = this.simdTrap === undefined;
    const set = this.tlbs.current;
    if (set !== undefined) this.tlbs.fetchSimd(set, allowed);
    return allowed;
  }

  #low(slot: number): number {
    return this.#memory.u32[(this.base + slot) >> 2] ?? 0;
  }
  #get(slot: number): bigint {
    return this.#memory.u64[(this.base + slot) >> 3] ?? 0n;
  }
  #set(slot: number, value: bigint): void {
    this.#memory.u64[(this.base + slot) >> 3] = value;
  }
}

/** Place of a register that is in the context itself, or -1. */
function ownSlot(encoding: number): number {
  const slot = findSysreg(encoding)?.slot ?? -1;
  return slot < ContextState.Size ? slot : -1;
}

function usesSpEl1(pstate: number): boolean {
  return (pstate & Pstate.Mode) === Pstate.El1h;
}
