import type { ExceptionLevel } from '../exception-level.ts';
import { ContextState } from '../layout.ts';
import type { LinearMemory } from '../linear-memory.ts';
import type { TlbRegisters } from '../mmu/context-tlbs.ts';
import { Sctlr } from '../mmu/stage1-walk.ts';
import { type El2State, Hcr } from './el2/el2-state.ts';
import { Pstate } from './pstate.ts';
import { slotOf } from './system-registers.ts';

const SCTLR_EL1 = slotOf('SCTLR_EL1');
const TCR_EL1 = slotOf('TCR_EL1');
const TTBR_EL1 = [slotOf('TTBR0_EL1'), slotOf('TTBR1_EL1')] as const;
const MAIR_EL1 = slotOf('MAIR_EL1');
const CNTKCTL_EL1 = slotOf('CNTKCTL_EL1');

/** SCTLR_ELx.EPAN, in bits 63:32. */
export const EPAN = 1 << 25;

/** What a regime and the PE ask of the registers of the Exception level that controls it. */
export interface RegimeControls extends TlbRegisters {
  readonly sctlrHigh: number;
  /** CNTKCTL_EL1, or CNTHCTL_EL2 where that has its form. */
  readonly cntkctl: number;
}

/** The context, as seen by its controls. */
export interface ControlsOwner {
  /** Offset of its state in linear memory. */
  readonly base: number;
  readonly el: ExceptionLevel;
  readonly el2: El2State | undefined;
}

/** The registers of EL1, for the EL1&0 regime. */
export class El1Controls implements RegimeControls {
  readonly #memory: LinearMemory;
  readonly #owner: ControlsOwner;

  constructor(memory: LinearMemory, owner: ControlsOwner) {
    this.#memory = memory;
    this.#owner = owner;
  }

  get el(): ExceptionLevel {
    return this.#owner.el;
  }
  get sctlr(): number {
    const sctlr = this.#low(SCTLR_EL1);
    // With TGE, stage 1 is off at EL0; so it is with DC (Arm ARM, D24.2.53).
    return this.#owner.el2?.hcr(Hcr.TGE | Hcr.DC) === true ? sctlr & ~Sctlr.M : sctlr;
  }
  get sctlrHigh(): number {
    return this.#low(SCTLR_EL1 + 4);
  }
  get cntkctl(): number {
    return this.#low(CNTKCTL_EL1);
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
    return this.#memory.u8[this.#owner.base + MAIR_EL1 + index] ?? 0;
  }
  get pan(): boolean {
    return (this.#low(ContextState.Pstate) & Pstate.Pan) !== 0;
  }
  get uao(): boolean {
    return (this.#low(ContextState.Pstate) & Pstate.Uao) !== 0;
  }
  get defaultCacheable(): boolean {
    return this.#owner.el2?.hcr(Hcr.DC) === true;
  }

  #low(slot: number): number {
    return this.#memory.u32[(this.#owner.base + slot) >> 2] ?? 0;
  }
}
