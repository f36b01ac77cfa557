import type { ExceptionLevel } from '../../exception-level.ts';
import { ContextState } from '../../layout.ts';
import type { LinearMemory } from '../../linear-memory.ts';
import type { Stage2Registers } from '../../mmu/guest-stage2.ts';
import { Pstate } from '../pstate.ts';
import { type ControlsOwner, EPAN, type RegimeControls } from '../stage1-controls.ts';
import { El2Slot, type El2State, Hcr, HcrHigh } from './el2-state.ts';

/** TCR_EL2 where HCR_EL2.E2H is 0: its fields by their bits. */
const Tcr = {
  /** T0SZ, IRGN0, ORGN0, SH0 and TG0, which are where TCR_EL1 has them. */
  HALF: 0xffff,
  PS: 16,
  TBI: 20,
  HA: 21,
  HD: 22,
  HPD: 24,
  TBID: 29,
} as const;
/** TCR_EL1: no walks of the upper half; fields in bits 63:32. */
const EPD1 = 1 << 23;
const High = { TBI0: 5, HA: 7, HD: 8, HPD0: 9, TBID0: 19 } as const;

/**
 * The registers of EL2, in the form of those of EL1: for the EL2 regime, which has one range of addresses, and for the
 * EL2&0 regime, which it is while HCR_EL2.E2H is set.
 */
export class El2Controls implements RegimeControls {
  readonly #memory: LinearMemory;
  readonly #owner: ControlsOwner;
  readonly #state: El2State;

  constructor(memory: LinearMemory, owner: ControlsOwner, state: El2State) {
    this.#memory = memory;
    this.#owner = owner;
    this.#state = state;
  }

  /** EL2 has the place of EL1 in the regime. */
  get el(): ExceptionLevel {
    return this.#owner.el === 0 ? 0 : 1;
  }
  get oneRange(): boolean {
    return !this.#state.e2h;
  }
  get sctlr(): number {
    return this.#state.low(El2Slot.SCTLR);
  }
  get sctlrHigh(): number {
    return this.#state.high(El2Slot.SCTLR);
  }
  get cntkctl(): number {
    return this.#state.low(El2Slot.CNTHCTL);
  }
  get epan(): boolean {
    return !this.oneRange && (this.sctlrHigh & EPAN) !== 0;
  }
  get tcrLow(): number {
    const low = this.#state.low(El2Slot.TCR);
    return this.oneRange ? (low & Tcr.HALF) | EPD1 : low;
  }
  get tcrHigh(): number {
    if (!this.oneRange) return this.#state.high(El2Slot.TCR);
    const low = this.#state.low(El2Slot.TCR);
    const bit = (from: number, to: number): number => ((low >>> from) & 1) << to;
    return (
      ((low >>> Tcr.PS) & 7) |
      bit(Tcr.TBI, High.TBI0) |
      bit(Tcr.HA, High.HA) |
      bit(Tcr.HD, High.HD) |
      bit(Tcr.HPD, High.HPD0) |
      bit(Tcr.TBID, High.TBID0)
    );
  }
  ttbrLow(half: 0 | 1): number {
    return this.#state.low(half === 0 ? El2Slot.TTBR0 : El2Slot.TTBR1);
  }
  ttbrHigh(half: 0 | 1): number {
    const high = this.#state.high(half === 0 ? El2Slot.TTBR0 : El2Slot.TTBR1);
    // Without EL0 there are no ASIDs.
    return this.oneRange ? high & 0xffff : high;
  }
  mair(index: number): number {
    return this.#state.byte(El2Slot.MAIR, index);
  }
  get pan(): boolean {
    return !this.oneRange && (this.#pstate & Pstate.Pan) !== 0;
  }
  /** Accesses of EL2 are privileged all, unless EL0 belongs to it. */
  get uao(): boolean {
    return !this.#state.hosts || (this.#pstate & Pstate.Uao) !== 0;
  }

  get #pstate(): number {
    return this.#memory.u32[(this.#owner.base + ContextState.Pstate) >> 2] ?? 0;
  }
}

/** The registers that control stage 2, as EL2 has written them. */
export class El2Stage2Registers implements Stage2Registers {
  readonly #state: El2State;

  constructor(state: El2State) {
    this.#state = state;
  }

  get enabled(): boolean {
    return this.#state.hcr(Hcr.VM | Hcr.DC) && !this.#state.hosts;
  }
  get vtcr(): number {
    return this.#state.low(El2Slot.VTCR);
  }
  get vttbrLow(): number {
    return this.#state.low(El2Slot.VTTBR);
  }
  get vttbrHigh(): number {
    return this.#state.high(El2Slot.VTTBR);
  }
  get vmid(): number {
    return this.vttbrHigh >>> 16;
  }
  get forcesWriteBack(): boolean {
    return (this.#state.high(El2Slot.HCR) & HcrHigh.FWB) !== 0;
  }
  get protectsWalks(): boolean {
    return this.#state.hcr(Hcr.PTW);
  }
  /** Everything that translations of the EL1&0 regime depend on beside its own registers. */
  get key(): string {
    const hcr = this.#state.low(El2Slot.HCR) & (Hcr.VM | Hcr.PTW | Hcr.DC | Hcr.TGE);
    return [hcr, this.#state.high(El2Slot.HCR), this.vtcr, this.vttbrHigh, this.vttbrLow].join(':');
  }
}
