import type { RegisterAccess } from './registers/row.ts';
import { ExceptionClass, type CpuContext, type Stage2, type Traps } from '../types.ts';
import type { ExceptionLevel } from '../exception-level.ts';
import type { Regime } from '../mmu/regime.ts';
import { ContextTlbs } from '../mmu/context-tlbs.ts';
import { El1Regime } from '../mmu/el1-regime.ts';
import { GuestStage2 } from '../mmu/guest-stage2.ts';
import { Sctlr, type Stage1Registers } from '../mmu/stage1-walk.ts';
import { Stage1 } from '../mmu/stage1.ts';
import { Stage2Access } from '../mmu/stage2-access.ts';
import type { TlbInvalidation } from '../mmu/tlb-invalidation.ts';
import type { TlbPool } from '../mmu/tlb-pool.ts';
import type { LinearMemory } from '../linear-memory.ts';
import { El2Controls, El2Stage2Registers } from './el2/el2-controls.ts';
import { type El2Identity, El2Slot, El2State, Hcr } from './el2/el2-state.ts';
import { GuestTlbs } from './el2/guest-tlbs.ts';
import {
  INTERRUPT_VECTORS,
  pendingAtEl2,
  type PendingInterrupt,
  TAKEN,
  virtualInterruptPending,
} from './el2/interrupt-target.ts';
import { leaves, simdTrapWithEl2 } from './el2/traps.ts';
import { syndrome } from './exception.ts';
import { timerDeadline, type TimerKind, timerKinds } from './generic-timer.ts';
import { writePacMasks } from './pac-masks.ts';
import { exceptionEntry, Pstate, validTarget } from './pstate.ts';
import { findSysreg, slotOf, sysreg, sysregs } from './system-registers.ts';
import { ContextState, LEAVES, savedContext, VcpuState } from '../layout.ts';
import { type ControlsOwner, El1Controls, type RegimeControls } from './stage1-controls.ts';

const SCTLR_EL1 = slotOf('SCTLR_EL1');
const VBAR_EL1 = slotOf('VBAR_EL1');
const ESR_EL1 = slotOf('ESR_EL1');
const FAR_EL1 = slotOf('FAR_EL1');
const ELR_EL1 = slotOf('ELR_EL1');
const SPSR_EL1 = slotOf('SPSR_EL1');
const CPACR_EL1 = slotOf('CPACR_EL1');
const CNTV_CTL_EL0 = slotOf('CNTV_CTL_EL0');
const CNTV_CVAL_EL0 = slotOf('CNTV_CVAL_EL0');
const CNTP_CTL_EL0 = slotOf('CNTP_CTL_EL0');
const CNTP_CVAL_EL0 = slotOf('CNTP_CVAL_EL0');

/** A trap of CPACR_EL1 that HCR_EL2.TGE routes to EL2 is reported as unknown there. */
const UNKNOWN = syndrome(ExceptionClass.Unknown, 0);
/** ISS.IDS of an SError: the rest is implementation defined. */
const SERROR_UNKNOWN = 1 << 24;
/** No virtual interrupt. */
const NONE = { irq: false, fiq: false } as const;
/** Fields of PSTATE that decide which TLBs are used. */
const SELECTS_TLBS = Pstate.El | Pstate.Pan | Pstate.Uao;
/** TCR_EL1.TBI0 and TBI1, in bits 63:32. */
const TBI_SHIFT = 5;
/** TCR_EL1.TBID0 and TBID1, in bits 63:32. */
const TBID_SHIFT = 19;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** Makes the translation regime of a context. */
export type RegimeFactory = (stage2: Stage2, registers: Stage1Registers) => Regime;

/** A translation regime with all that belongs to it. */
interface Translations {
  readonly controls: RegimeControls;
  readonly regime: Regime;
  /** Stage 1 alone, for address translation instructions. */
  readonly stage1: Stage1;
  tlbs: ContextTlbs;
}

/** A plane on a vCPU. An active context is at address 0 of linear memory, an inactive one in a block of its own. */
export class Context implements CpuContext, RegisterAccess, ControlsOwner {
  readonly index: number;
  readonly traps: Traps = { wfi: false, wfe: false, simd: false };
  /** The registers of EL2, in a context that has it. */
  readonly el2: El2State | undefined;
  #active = false;
  readonly #memory: LinearMemory;
  readonly #pool: TlbPool;
  readonly #makeRegime: RegimeFactory;
  #stage2: Stage2;
  #el1: Translations;
  #el2: Translations | undefined;
  readonly #stage2Registers: El2Stage2Registers | undefined;
  /** The TLBs of the EL1&0 regime by stage 2, in a context that has EL2. */
  readonly #guests: GuestTlbs | undefined;
  /** That of the current Exception level. */
  #now: Translations;
  /** HCR_EL2.E2H for which the regime of EL2 holds entries. */
  #e2h = false;
  /** Whether what the EL1&0 regime depends on was written while it was not in use. */
  #el1Changed = false;

  /** @param el2 that it has EL2, and starts there */
  constructor(
    memory: LinearMemory,
    pool: TlbPool,
    index: number,
    stage2: Stage2,
    makeRegime: RegimeFactory,
    el2?: El2Identity,
  ) {
    this.#memory = memory;
    this.#pool = pool;
    this.index = index;
    this.#makeRegime = makeRegime;
    this.#stage2 = stage2;
    this.el2 = el2 === undefined ? undefined : new El2State(memory, index, el2);
    const controls = new El1Controls(memory, this);
    const tlbs = (): ContextTlbs => new ContextTlbs(memory, pool, controls);
    if (this.el2 !== undefined) {
      this.#stage2Registers = new El2Stage2Registers(this.el2);
      this.#guests = new GuestTlbs(tlbs);
    }
    this.#el1 = this.#translationsOfEl1(controls, this.#guests?.current ?? tlbs());
    this.#el2 = this.#translationsOfEl2();
    this.#now = this.#el1;
    this.reset(stage2);
  }

  /** The EL1&0 regime on the current stage 2. */
  #translationsOfEl1(controls: RegimeControls, tlbs: ContextTlbs): Translations {
    const { u32 } = this.#memory;
    const stage2 = new Stage2Access(this.#stage2);
    const registers = this.#stage2Registers;
    if (registers === undefined) {
      return {
        controls,
        regime: this.#makeRegime(this.#stage2, controls),
        stage1: new Stage1(u32, controls, stage2),
        tlbs,
      };
    }
    const guest = new GuestStage2(u32, stage2, registers);
    const regime = new El1Regime(this.#memory, this.#stage2, controls, guest);
    return { controls, regime, stage1: new Stage1(u32, controls, guest), tlbs };
  }

  #translationsOfEl2(): Translations | undefined {
    if (this.el2 === undefined) return undefined;
    const controls = new El2Controls(this.#memory, this, this.el2);
    const stage1 = new Stage1(this.#memory.u32, controls, new Stage2Access(this.#stage2));
    const tlbs = this.#el2?.tlbs ?? new ContextTlbs(this.#memory, this.#pool, controls);
    return { controls, regime: new El1Regime(this.#memory, this.#stage2, controls), stage1, tlbs };
  }

  get stage2(): Stage2 {
    return this.#stage2;
  }

  /** How its addresses are translated at the current Exception level. */
  get regime(): Regime {
    return this.#now.regime;
  }
  get tlbs(): ContextTlbs {
    return this.#now.tlbs;
  }

  /** Stage 1 alone, for address translation instructions. */
  stage1Of(of: 'el1' | 'el2'): Stage1 {
    this.#refreshEl1();
    return ((of === 'el2' ? this.#el2 : undefined) ?? this.#el1).stage1;
  }
  /** The EL1&0 regime with both stages, for address translation instructions of EL2. */
  get regimeOfEl1(): Regime {
    this.#refreshEl1();
    return this.#el1.regime;
  }

  reset(stage2: Stage2): void {
    if (stage2 !== this.#stage2) {
      this.#stage2 = stage2;
      this.#el1 = this.#translationsOfEl1(this.#el1.controls, this.#el1.tlbs);
      this.#el2 = this.#translationsOfEl2();
    }
    this.traps.wfi = this.traps.wfe = this.traps.simd = false;
    this.#memory.u8.fill(0, this.base, this.base + ContextState.Size);
    for (const register of sysregs) {
      if (register.slot >= 0 && register.slot < ContextState.Size) this.#set(register.slot, register.reset);
    }
    this.#set(ContextState.Z, 1n);
    this.#set(ContextState.ExclusiveAddress, ALL_ONES);
    this.#resetEl2();
    const mode = this.el2 === undefined ? Pstate.El1h : Pstate.El2h;
    this.#memory.u32[(this.base + ContextState.Pstate) >> 2] = mode | Pstate.Daif;
    this.#now = this.#el2 ?? this.#el1;
    this.flushTlb();
    this.#regimeChanged('controls');
    if (this.el2 !== undefined) this.setMode(this.pstate);
  }

  #resetEl2(): void {
    if (this.el2 === undefined) return;
    this.el2.clear();
    for (const { el2Slot, reset } of sysregs) if (el2Slot !== undefined) this.el2.set(el2Slot, reset);
    this.el2.identify();
    this.#e2h = false;
    this.#el1Changed = true;
  }

  /** A copy of its registers, as they are in linear memory. */
  save(): Uint8Array {
    const own = this.#memory.u8.slice(this.base, this.base + ContextState.Size);
    return this.el2 === undefined ? own : Uint8Array.from([...own, ...this.el2.block]);
  }

  /** @param registers of a context with the same stage 2 */
  restore(registers: Uint8Array): void {
    this.#memory.u8.set(registers.subarray(0, ContextState.Size), this.base);
    this.el2?.block.set(registers.subarray(ContextState.Size));
    this.flushTlb();
    this.#e2h = this.el2?.e2h === true;
    this.#el1Changed = true;
    this.#selectRegime();
    this.#regimeChanged('controls');
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
    const others = at(ContextState.Pstate) & ~LEAVES.Mask;
    return (negative | zero | (at(ContextState.C) << 29) | (at(ContextState.V) << 28) | others) >>> 0;
  }
  set pstate(value: number) {
    if (!validTarget(value, this.el2 === undefined ? 1 : 2)) return;
    this.setMode(value);
    this.setNzcv(value);
  }

  /** Sets PSTATE except NZCV, and selects the stack pointer. */
  setMode(value: number): void {
    const words = this.#memory.u32;
    const at = (this.base + ContextState.Pstate) >> 2;
    const old = words[at] ?? 0;
    const next = (value & ~Pstate.Nzcv) >>> 0;
    const [from, to] = [stackLevel(old), stackLevel(next)];
    if (from !== to) {
      this.#setStack(from, this.sp);
      this.#set(ContextState.Sp, this.#stack(to));
    }
    words[at] = this.el2 === undefined ? next : next | leaves(this.el2, next);
    if (((old ^ next) & SELECTS_TLBS) === 0) return;
    if (((old ^ next) & Pstate.El) !== 0) this.#selectRegime();
    this.#selectTlbs();
  }

  /** SP_ELx that is not selected. */
  #stack(el: ExceptionLevel): bigint {
    if (el === 2) return this.el2?.get(El2Slot.SP) ?? 0n;
    return this.#get(el === 1 ? ContextState.SpEl1 : ContextState.SpEl0);
  }
  #setStack(el: ExceptionLevel, value: bigint): void {
    if (el === 2) this.el2?.set(El2Slot.SP, value);
    else this.#set(el === 1 ? ContextState.SpEl1 : ContextState.SpEl0, value);
  }

  /** Gives generated code the TLBs that its accesses use now. */
  #selectTlbs(): void {
    if (!this.#active) return;
    this.#memory.u32[VcpuState.SctlrHigh >> 2] = this.sctlrHigh;
    this.tlbs.select();
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
    const atEl2 = findSysreg(encoding)?.el2Slot;
    if (atEl2 !== undefined) return this.el2?.get(atEl2);
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
    const row = findSysreg(encoding);
    if (row?.el2Slot !== undefined) {
      this.el2?.set(row.el2Slot, value);
      this.el2Changed('el2');
      return this.el2 !== undefined;
    }
    const slot = ownSlot(encoding);
    if (slot < 0) return false;
    this.#set(slot, value);
    this.stage1Changed(row?.stage1);
    return true;
  }
  #spSlot(encoding: number): number {
    const el = encoding === sysreg.SP_EL1 ? 1 : 0;
    if (stackLevel(this.#low(ContextState.Pstate)) === el) return ContextState.Sp;
    return el === 1 ? ContextState.SpEl1 : ContextState.SpEl0;
  }

  /** Guest time at which one of the timers signals next; see `Vcpu.timerDeadline`. */
  get timerDeadline(): number {
    return Math.min(...timerKinds.map((timer) => this.deadlineOf(timer)));
  }

  /** Guest time at which a timer signals; Infinity if it will not. */
  deadlineOf(timer: TimerKind): number {
    const { el2 } = this;
    switch (timer) {
      case 'virtual':
        return timerDeadline(this.#low(CNTV_CTL_EL0), this.#get(CNTV_CVAL_EL0), el2?.get(El2Slot.CNTVOFF));
      case 'physical':
        return timerDeadline(this.#low(CNTP_CTL_EL0), this.#get(CNTP_CVAL_EL0));
      case 'hypervisor-physical':
        return el2 === undefined ? Infinity : timerDeadline(el2.low(El2Slot.CNTHP_CTL), el2.get(El2Slot.CNTHP_CVAL));
      case 'hypervisor-virtual':
        return el2 === undefined ? Infinity : timerDeadline(el2.low(El2Slot.CNTHV_CTL), el2.get(El2Slot.CNTHV_CVAL));
    }
  }

  /** Whether a virtual interrupt is pending that EL1 or EL0 may wait for. @param listed by list registers */
  virtualInterruptPending(listed: { readonly irq: boolean; readonly fiq: boolean }): boolean {
    const { el2 } = this;
    return el2 !== undefined && this.el < 2 && virtualInterruptPending(el2, listed);
  }

  /** What CNTVCT_EL0 is behind the physical counter: no more where it is that of a host (Arm ARM, D24.12.33). */
  get virtualOffset(): bigint {
    const { el, el2 } = this;
    if (el2 === undefined || (el === 2 && el2.e2h) || (el === 0 && el2.hosts)) return 0n;
    return el2.get(El2Slot.CNTVOFF);
  }

  /** CNTKCTL_EL1, or CNTHCTL_EL2 of a host, as EL0 is under it. */
  get cntkctl(): number {
    return this.#now.controls.cntkctl;
  }

  /**
   * The interrupt of these that can be taken now, and where to; undefined if all are masked, or none is there.
   *
   * @param irq whether a physical IRQ is signalled @param fiq the same for FIQ @param virtual from list registers
   */
  interruptTaken(
    irq: boolean,
    fiq: boolean,
    virtual: { readonly irq: boolean; readonly fiq: boolean } = NONE,
  ): PendingInterrupt | undefined {
    const masks = this.#low(ContextState.Pstate);
    const { el2 } = this;
    if (el2 === undefined) {
      if (irq) return (masks & Pstate.I) === 0 ? TAKEN.irq[1] : undefined;
      return fiq && (masks & Pstate.F) === 0 ? TAKEN.fiq[1] : undefined;
    }
    return pendingAtEl2(el2, this.el, masks, irq, fiq, virtual);
  }

  /**
   * Exception level to which SIMD&FP instructions trap, by CPACR_EL1.FPEN or CPTR_EL2.TFP; undefined if they do not.
   */
  get simdTrap(): 1 | 2 | undefined {
    const { el2 } = this;
    if (el2 !== undefined) return simdTrapWithEl2(el2, this.el, this.#low(CPACR_EL1));
    const fpen = (this.#low(CPACR_EL1) >>> 20) & 3;
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
  /** Bit n: the top byte of addresses of TTBRn_ELx is a tag, with the MMU on or off. */
  get topByteIgnored(): number {
    return (this.#now.controls.tcrHigh >>> TBI_SHIFT) & 3;
  }
  /** The same in a regime that may not be the one in use. */
  topByteIgnoredIn(of: 'el1' | 'el2'): number {
    const { controls } = (of === 'el2' ? this.#el2 : undefined) ?? this.#el1;
    return (controls.tcrHigh >>> TBI_SHIFT) & 3;
  }

  /** The same for addresses of instructions: TCR_ELx.TBIDn keeps the tag in them. */
  get topByteIgnoredByBranches(): number {
    return this.topByteIgnored & ~(this.#now.controls.tcrHigh >>> TBID_SHIFT);
  }

  /** SCTLR_ELx of the regime in use. */
  get sctlr(): number {
    return this.#now.controls.sctlr;
  }
  get sctlrHigh(): number {
    return this.#now.controls.sctlrHigh;
  }
  /** TCR_ELx of the regime in use. */
  get tcrLow(): number {
    return this.#now.controls.tcrLow;
  }
  get pan(): boolean {
    return this.#now.controls.pan;
  }
  /** The Exception level whose permissions LDTR and STTR have. */
  get unprivileged(): ExceptionLevel {
    return this.#now.controls.uao ? this.el : 0;
  }

  /**
   * To be called after a write of a register of EL1 that controls stage 1, or names its tables; `undefined` for others.
   */
  stage1Changed(what: 'controls' | 'tables' | undefined): void {
    if (what === undefined) return;
    if (this.#now === this.#el1) this.#regimeChanged(what);
    else this.#el1Changed = true;
  }

  /** To be called after a write of a register of EL2 that others depend on. */
  el2Changed(what: 'el2' | 'el2-regime' | 'stage2'): void {
    const { el2 } = this;
    const own = this.#el2;
    if (el2 === undefined || own === undefined) return;
    this.#el1Changed = true;
    if (what !== 'stage2') {
      const { e2h } = el2;
      // Both forms of the regime share its TLBs.
      if (e2h !== this.#e2h) own.tlbs.flush();
      if (own.tlbs.controlChanged() || e2h !== this.#e2h) own.regime.dropWalks?.();
      this.#e2h = e2h;
      if (this.#now === own) writePacMasks(this.#memory.u32, this.base, this);
    }
    this.#selectRegime();
    if (what === 'el2') this.setMode(this.pstate);
    this.#selectTlbs();
  }

  /** The registers of the regime in use changed. */
  #regimeChanged(what: 'controls' | 'tables'): void {
    const { tlbs, regime } = this.#now;
    if (what === 'tables') tlbs.tablesChanged();
    else {
      writePacMasks(this.#memory.u32, this.base, this);
      if (tlbs.controlChanged()) regime.dropWalks?.();
    }
    this.#selectTlbs();
  }

  /** Selects the regime of the current Exception level, with what EL2 has changed. */
  #selectRegime(): void {
    const { el2 } = this;
    if (el2 === undefined || this.#el2 === undefined) return;
    const before = this.#now;
    this.#now = this.el === 2 || (this.el === 0 && el2.hosts) ? this.#el2 : this.#el1;
    if (this.#now === this.#el1) this.#refreshEl1();
    if (this.#now === before) return;
    writePacMasks(this.#memory.u32, this.base, this);
  }

  /** Brings the EL1&0 regime up to date with what EL2 has written. */
  #refreshEl1(): void {
    if (!this.#el1Changed) return;
    this.#el1Changed = false;
    const registers = this.#stage2Registers;
    if (registers !== undefined && this.#guests?.select(registers.key, registers.vmid) === true) {
      this.#el1.tlbs = this.#guests.current;
      this.#el1.regime.dropWalks?.();
      this.#el1.stage1.dropTables();
    }
    if (this.#el1.tlbs.controlChanged()) this.#el1.regime.dropWalks?.();
    if (this.#now === this.#el1) writePacMasks(this.#memory.u32, this.base, this);
  }

  /** TLB maintenance. */
  invalidateTlb(request: TlbInvalidation): void {
    const regime = request.regime === 'el2' ? this.#el2 : this.#el1;
    if (regime === undefined) return;
    if (!request.lastLevel) regime.regime.dropWalks?.();
    if (request.regime === 'el2' || this.#guests === undefined) regime.tlbs.invalidate(request);
    else this.#guests.invalidate(request);
    this.#selectTlbs();
  }

  /**
   * Takes a synchronous exception at the current PC to the Exception level that has those of the current one: EL1, or
   * EL2 from itself and, with HCR_EL2.TGE, from EL0.
   */
  raise(esr: number, far: bigint): void {
    const { el, el2 } = this;
    if (el2 === undefined || (el < 2 && !(el === 0 && el2.tge))) this.takeException(esr, far);
    else if (el === 0 && esr >>> 26 === ExceptionClass.SimdFp) this.takeToEl2(UNKNOWN, far);
    else this.takeToEl2(esr, far);
  }

  /** Takes a synchronous exception to EL2 at the current PC. @param hpfar HPFAR_EL2, for a fault of stage 2 */
  takeToEl2(esr: number, far: bigint, hpfar?: bigint): void {
    const { el2 } = this;
    if (el2 === undefined) throw new RangeError('the context has no EL2');
    if (hasFar(esr)) el2.set(El2Slot.FAR, far);
    if (hpfar !== undefined) el2.set(El2Slot.HPFAR, hpfar);
    el2.set(El2Slot.ESR, BigInt(esr >>> 0));
    this.#enter(2, 0n);
  }

  takeException(esr: number, far: bigint): void {
    if (hasFar(esr)) this.#set(FAR_EL1, far);
    this.#set(ESR_EL1, BigInt(esr >>> 0));
    this.#enter(1, 0n);
  }

  /** Takes an interrupt at the current PC. */
  takeInterrupt({ kind, target }: PendingInterrupt): void {
    if (kind === 'serror' && this.el2 !== undefined) {
      this.el2.set(El2Slot.HCR, this.el2.get(El2Slot.HCR) & ~BigInt(Hcr.VSE));
      this.#set(ESR_EL1, BigInt(syndrome(ExceptionClass.SError, SERROR_UNKNOWN)));
    }
    this.#enter(target, INTERRUPT_VECTORS[kind]);
  }

  /** @param offset of the kind of exception among the vectors of where it comes from */
  #enter(target: 1 | 2, offset: bigint): void {
    const old = this.pstate;
    const { pc, el2 } = this;
    let vbar: bigint;
    let entry: ReturnType<typeof exceptionEntry>;
    if (target === 2 && el2 !== undefined) {
      el2.set(El2Slot.ELR, pc);
      el2.set(El2Slot.SPSR, BigInt(old));
      vbar = el2.get(El2Slot.VBAR);
      entry = exceptionEntry(old, 2, el2.low(El2Slot.SCTLR), el2.high(El2Slot.SCTLR), el2.hosts);
    } else {
      this.#set(ELR_EL1, pc);
      this.#set(SPSR_EL1, BigInt(old));
      vbar = this.#get(VBAR_EL1);
      entry = exceptionEntry(old, 1, this.#low(SCTLR_EL1), this.#low(SCTLR_EL1 + 4), true);
    }
    this.setMode(entry.pstate);
    this.#set(ContextState.ExclusiveAddress, ALL_ONES);
    this.pc = BigInt.asUintN(64, (vbar & ~0x7ffn) + entry.vector + offset);
  }

  /**
   * ERET by SPSR_ELx of the current Exception level; an illegal return sets PSTATE.IL and stays at that level.
   *
   * @param target the address; default ELR_ELx
   */
  exceptionReturn(target?: bigint): void {
    const { el2 } = this;
    const own = this.el === 2 ? el2 : undefined;
    const spsr = Number(BigInt.asUintN(32, own?.get(El2Slot.SPSR) ?? this.#get(SPSR_EL1)));
    this.pc = target ?? own?.get(El2Slot.ELR) ?? this.#get(ELR_EL1);
    this.#set(ContextState.ExclusiveAddress, ALL_ONES);
    if (this.#isLegalReturn(spsr)) {
      this.setMode(spsr);
      this.setNzcv(spsr);
    } else {
      this.setMode((this.pstate & (Pstate.Mode | Pstate.Daif)) | Pstate.Il);
      this.setNzcv(spsr);
    }
  }

  /** Not to a higher Exception level, nor to EL1 while HCR_EL2.TGE is set (Arm ARM, D1.4.6). */
  #isLegalReturn(spsr: number): boolean {
    if (!validTarget(spsr, this.el)) return false;
    return (spsr & Pstate.El) !== Pstate.El1t || this.el2?.tge !== true;
  }

  /** Drops what TLBs hold of stage 1 and stage 2. */
  flushTlb(): void {
    for (const regime of [this.#el1, this.#el2]) {
      regime?.regime.dropWalks?.();
      regime?.stage1.dropTables();
      regime?.tlbs.flush();
    }
    this.#guests?.flush();
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

/** Whether an exception with this syndrome has an address. */
function hasFar(esr: number): boolean {
  const ec = esr >>> 26;
  return (
    ec === ExceptionClass.InstructionAbortLower ||
    ec === ExceptionClass.InstructionAbortSame ||
    ec === ExceptionClass.DataAbortLower ||
    ec === ExceptionClass.DataAbortSame ||
    ec === ExceptionClass.PcAlignment
  );
}

/** The Exception level whose stack pointer is selected. */
function stackLevel(pstate: number): ExceptionLevel {
  // Safe: the field has two bits.
  return (pstate & Pstate.SpSel) === 0 ? 0 : (((pstate & Pstate.El) >> 2) as ExceptionLevel);
}
