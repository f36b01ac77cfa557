import { El2Slot, type El2State } from '../pe/el2/el2-state.ts';
import {
  type InterruptGroup,
  type InterruptRouting,
  MAINTENANCE_INTERRUPT,
  NO_INTERRUPT,
} from './interrupt-routing.ts';
import { IDLE_PRIORITY, lowestBit, MIN_BPR, PRIORITY_SHIFT } from './priorities.ts';

/** ICH_LR0_EL2 to ICH_LR3_EL2. */
export const LIST_REGISTERS = 4;

/** ICH_HCR_EL2 (IHI0069, 12.4). */
export const IchHcr = {
  En: 1,
  UIE: 1 << 1,
  LRENPIE: 1 << 2,
  NPIE: 1 << 3,
  VGrp0EIE: 1 << 4,
  VGrp0DIE: 1 << 5,
  VGrp1EIE: 1 << 6,
  VGrp1DIE: 1 << 7,
  TC: 1 << 10,
  TALL0: 1 << 11,
  TALL1: 1 << 12,
  TDIR: 1 << 14,
  EOIcountShift: 27,
} as const;
/** ICH_VMCR_EL2; VBPR and VPMR by their lowest bits. */
const Vmcr = { VENG: [1, 2], VCBPR: 1 << 4, VEOIM: 1 << 9, VBPR1: 18, VBPR0: 21, VPMR: 24 } as const;
/** Bits of ICH_MISR_EL2. */
const Misr = { EOI: 1, U: 2, LRENP: 4, NP: 8, VGrp0E: 16, VGrp0D: 32, VGrp1E: 64, VGrp1D: 128 } as const;

/** A list register, bits 63:32: the physical INTID, or EOI where HW is 0; priority, group, HW and state. */
const Lr = { EOI: 1 << 9, PINTID: 0x1fff, PRIORITY: 16, GROUP: 1 << 28, HW: 1 << 29, STATE: 30 } as const;
const State = { Invalid: 0, Pending: 1, Active: 2 } as const;
const SPECIAL_INTID = 1020;
const FIRST_LPI = 8192;
const EOI_COUNT_MAX = 31;

/**
 * The virtual CPU interface, whose interrupts are those of the list registers of EL2 (IHI0069, chapter 6): ICV
 * registers of EL1, and the maintenance interrupt.
 */
export class VirtualInterface {
  /** Whether a virtual IRQ and a virtual FIQ is signalled, whatever PSTATE masks. */
  irq = false;
  fiq = false;
  readonly #el2: () => El2State | undefined;
  readonly #routing: InterruptRouting;
  #updating = false;

  /** @param el2 of the active context, if it has EL2 */
  constructor(el2: () => El2State | undefined, routing: InterruptRouting) {
    this.#el2 = el2;
    this.#routing = routing;
  }

  /** To be called after each change of a register of EL2 or of the interface. */
  update(): void {
    const el2 = this.#el2();
    this.irq = this.fiq = false;
    if (el2 === undefined || this.#updating) return;
    const signalled = this.#signalled(el2);
    if (signalled >= 0) {
      this.irq = groupOf(el2, signalled) === 1;
      this.fiq = !this.irq;
    }
    this.#updating = true;
    this.#routing.setLevel(MAINTENANCE_INTERRUPT, this.#enabled(el2) && this.maintenance !== 0);
    this.#updating = false;
  }

  /** ICH_MISR_EL2. */
  get maintenance(): number {
    const el2 = this.#el2();
    if (el2 === undefined) return 0;
    const hcr = el2.low(El2Slot.ICH_HCR);
    const vmcr = el2.low(El2Slot.ICH_VMCR);
    const states = Array.from({ length: LIST_REGISTERS }, (_, n) => stateOf(el2, n));
    const when = (control: number, condition: boolean, bit: number): number =>
      (hcr & control) !== 0 && condition ? bit : 0;
    const isEnabled = (group: InterruptGroup): boolean => (vmcr & Vmcr.VENG[group]) !== 0;
    return (
      (this.ended === 0 ? 0 : Misr.EOI) |
      when(IchHcr.UIE, states.filter((state) => state !== State.Invalid).length <= 1, Misr.U) |
      when(IchHcr.LRENPIE, hcr >>> IchHcr.EOIcountShift !== 0, Misr.LRENP) |
      when(IchHcr.NPIE, !states.includes(State.Pending), Misr.NP) |
      when(IchHcr.VGrp0EIE, isEnabled(0), Misr.VGrp0E) |
      when(IchHcr.VGrp0DIE, !isEnabled(0), Misr.VGrp0D) |
      when(IchHcr.VGrp1EIE, isEnabled(1), Misr.VGrp1E) |
      when(IchHcr.VGrp1DIE, !isEnabled(1), Misr.VGrp1D)
    );
  }

  /** ICH_EISR_EL2: list registers whose interrupts have ended, and which asked to know. */
  get ended(): number {
    return this.#registersWhere((high) => (high & Lr.HW) === 0 && (high & Lr.EOI) !== 0);
  }
  /** ICH_ELRSR_EL2: those that are free. */
  get empty(): number {
    return this.#registersWhere((high) => (high & Lr.HW) !== 0 || (high & Lr.EOI) === 0);
  }

  /** ICV_HPPIRn_EL1. */
  highestPending(group: InterruptGroup): bigint {
    const el2 = this.#el2();
    const found = el2 === undefined ? -1 : this.#highest(el2);
    return el2 !== undefined && found >= 0 && groupOf(el2, found) === group
      ? intidOf(el2, found)
      : BigInt(NO_INTERRUPT);
  }

  /** A read of ICV_IARn_EL1. */
  acknowledge(group: InterruptGroup): bigint {
    const el2 = this.#el2();
    const found = el2 === undefined ? -1 : this.#signalled(el2);
    if (el2 === undefined || found < 0 || groupOf(el2, found) !== group) return BigInt(NO_INTERRUPT);
    const level = this.#groupPriority(el2, found) >> PRIORITY_SHIFT;
    const intid = intidOf(el2, found);
    el2.set(slotOfActive(group), BigInt((this.#active(el2, group) | (1 << level)) >>> 0));
    setState(el2, found, intid >= BigInt(FIRST_LPI) ? State.Invalid : State.Active);
    this.update();
    return intid;
  }

  /** A write of ICV_EOIRn_EL1. It is ignored where the priority to drop is not of the group. */
  end(group: InterruptGroup, value: bigint): void {
    const el2 = this.#el2();
    const intid = Number(value & 0xff_ffffn);
    if (el2 === undefined || (intid >= SPECIAL_INTID && intid <= NO_INTERRUPT)) return;
    const own = this.#active(el2, group);
    const highest = lowestBit(own);
    const drops = own !== 0 && highest < lowestBit(this.#active(el2, group === 1 ? 0 : 1));
    if (drops) el2.set(slotOfActive(group), BigInt((own & ~(1 << highest)) >>> 0));
    if ((el2.low(El2Slot.ICH_VMCR) & Vmcr.VEOIM) === 0) this.#deactivate(el2, intid, drops);
    this.update();
  }

  /** A write of ICV_DIR_EL1. */
  deactivate(value: bigint): void {
    const el2 = this.#el2();
    if (el2 === undefined || (el2.low(El2Slot.ICH_VMCR) & Vmcr.VEOIM) === 0) return;
    this.#deactivate(el2, Number(value & 0xff_ffffn), true);
    this.update();
  }

  /** ICV_RPR_EL1. */
  get runningPriority(): number {
    const el2 = this.#el2();
    return el2 === undefined ? IDLE_PRIORITY : this.#running(el2);
  }

  /** ICV_BPRn_EL1 as read. */
  binaryPoint(group: InterruptGroup): number {
    const vmcr = this.#el2()?.low(El2Slot.ICH_VMCR) ?? 0;
    const own = (vmcr >>> Vmcr.VBPR0) & 7;
    if (group === 0) return Math.max(own, MIN_BPR[0]);
    if ((vmcr & Vmcr.VCBPR) !== 0) return Math.min(Math.max(own, MIN_BPR[0]) + 1, 7);
    return Math.max((vmcr >>> Vmcr.VBPR1) & 7, MIN_BPR[1]);
  }

  #enabled(el2: El2State): boolean {
    return (el2.low(El2Slot.ICH_HCR) & IchHcr.En) !== 0;
  }

  /** @param counts whether one that is in no list register is counted (EOIcount) */
  #deactivate(el2: El2State, intid: number, counts: boolean): void {
    for (let n = 0; n < LIST_REGISTERS; n += 1) {
      const state = stateOf(el2, n);
      if ((state & State.Active) === 0 || Number(intidOf(el2, n)) !== intid) continue;
      setState(el2, n, state & ~State.Active);
      const high = el2.high(El2Slot.ICH_LR0 + n);
      if ((high & Lr.HW) !== 0) this.#routing.deactivate(high & Lr.PINTID);
      return;
    }
    const hcr = el2.low(El2Slot.ICH_HCR);
    const count = hcr >>> IchHcr.EOIcountShift;
    if (!counts || intid >= FIRST_LPI || count === EOI_COUNT_MAX) return;
    el2.set(El2Slot.ICH_HCR, BigInt((hcr + (1 << IchHcr.EOIcountShift)) >>> 0));
  }

  /** The list register of the interrupt that has sufficient priority to be signalled, or -1. */
  #signalled(el2: El2State): number {
    const found = this.#highest(el2);
    if (found < 0) return -1;
    const mask = el2.low(El2Slot.ICH_VMCR) >>> Vmcr.VPMR;
    const priority = priorityOf(el2, found);
    return priority >= mask || this.#groupPriority(el2, found) >= this.#running(el2) ? -1 : found;
  }

  /** The list register of the highest pending interrupt of an enabled group, or -1. */
  #highest(el2: El2State): number {
    if (!this.#enabled(el2)) return -1;
    const vmcr = el2.low(El2Slot.ICH_VMCR);
    let found = -1;
    for (let n = 0; n < LIST_REGISTERS; n += 1) {
      if (stateOf(el2, n) !== State.Pending || (vmcr & Vmcr.VENG[groupOf(el2, n)]) === 0) continue;
      if (found < 0 || priorityOf(el2, n) < priorityOf(el2, found)) found = n;
    }
    return found;
  }

  #groupPriority(el2: El2State, n: number): number {
    const group = groupOf(el2, n);
    // As in the physical interface.
    return priorityOf(el2, n) & (0xff << (this.binaryPoint(group) + (group === 0 ? 1 : 0)));
  }

  #running(el2: El2State): number {
    const active = this.#active(el2, 0) | this.#active(el2, 1);
    return active === 0 ? IDLE_PRIORITY : lowestBit(active) << PRIORITY_SHIFT;
  }

  #active(el2: El2State, group: InterruptGroup): number {
    return el2.low(slotOfActive(group));
  }

  #registersWhere(free: (high: number) => boolean): number {
    const el2 = this.#el2();
    let found = 0;
    for (let n = 0; el2 !== undefined && n < LIST_REGISTERS; n += 1) {
      if (stateOf(el2, n) === State.Invalid && free(el2.high(El2Slot.ICH_LR0 + n))) found |= 1 << n;
    }
    return found;
  }
}

/** ICV_CTLR_EL1, ICV_PMR_EL1, ICV_BPRn_EL1 and ICV_IGRPENn_EL1 are fields of ICH_VMCR_EL2. */
export const virtualControls = {
  ctlr: [
    [Vmcr.VCBPR, 1],
    [Vmcr.VEOIM, 2],
  ],
  pmr: Vmcr.VPMR,
  bpr: [Vmcr.VBPR0, Vmcr.VBPR1],
  enable: Vmcr.VENG,
} as const;

function slotOfActive(group: InterruptGroup): El2Slot {
  return group === 0 ? El2Slot.ICH_AP0R0 : El2Slot.ICH_AP1R0;
}
function stateOf(el2: El2State, n: number): number {
  return el2.high(El2Slot.ICH_LR0 + n) >>> Lr.STATE;
}
function setState(el2: El2State, n: number, state: number): void {
  const slot = El2Slot.ICH_LR0 + n;
  el2.set(slot, (el2.get(slot) & ~(3n << 62n)) | (BigInt(state) << 62n));
}
function groupOf(el2: El2State, n: number): InterruptGroup {
  return (el2.high(El2Slot.ICH_LR0 + n) & Lr.GROUP) === 0 ? 0 : 1;
}
function priorityOf(el2: El2State, n: number): number {
  return (el2.high(El2Slot.ICH_LR0 + n) >>> Lr.PRIORITY) & 0xff;
}
function intidOf(el2: El2State, n: number): bigint {
  return BigInt(el2.low(El2Slot.ICH_LR0 + n));
}
