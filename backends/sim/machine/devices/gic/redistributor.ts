import { type InterruptGroup, type InterruptRouting, NO_INTERRUPT } from '../../../cpu/index.ts';
import { type BankState, InterruptBank, PRIVATE_INTERRUPTS } from './interrupt-bank.ts';
import { FIRST_LPI, type Lpis, type LpiState } from './lpis.ts';
import type { SharedInterrupts } from './shared-interrupts.ts';

const SGIS = 16;

/** State of a `Redistributor`. */
export interface RedistributorState {
  readonly bank: BankState;
  readonly asleep: boolean;
  readonly lpis?: LpiState;
}

/** What a redistributor needs of the rest of the GIC. */
export interface GicParts {
  readonly shared: SharedInterrupts;
  readonly redistributors: readonly Redistributor[];
}

/** SGIs and PPIs of one PE, and what of all interrupts is sent to it (IHI0069, chapter 4). */
export class Redistributor implements InterruptRouting {
  onChange: (() => void) | undefined;
  /** As in MPIDR_EL1. */
  readonly affinity: number;
  readonly bank: InterruptBank;
  /** Absent if the GIC has no ITS. */
  readonly lpis: Lpis | undefined;
  readonly #gic: GicParts;
  #asleep = true;
  #enabledGroups = 0;

  /** @param makeLpis makes the LPIs of this PE, given what to call after a change */
  constructor(affinity: number, gic: GicParts, makeLpis?: (changed: () => void) => Lpis) {
    this.affinity = affinity;
    this.#gic = gic;
    this.bank = new InterruptBank(0, PRIVATE_INTERRUPTS, SGIS, () => {
      this.changed();
    });
    this.lpis = makeLpis?.(() => {
      this.changed();
    });
  }

  /** GICR_WAKER.ProcessorSleep: nothing is forwarded to the PE. */
  get asleep(): boolean {
    return this.#asleep;
  }
  set asleep(asleep: boolean) {
    this.#asleep = asleep;
    this.#gic.shared.changed();
  }

  /** Groups of which it may be given SPIs that any PE may take. */
  get accepts(): number {
    return this.#asleep ? 0 : this.#enabledGroups;
  }

  enableGroups(groups: number): void {
    if (groups === this.#enabledGroups) return;
    this.#enabledGroups = groups;
    this.#gic.shared.changed();
  }

  highest(groups: number): number {
    if (this.#asleep) return NO_INTERRUPT;
    const { shared } = this.#gic;
    const allowed = groups & shared.forwarded;
    const { bank } = this;
    let best: number = NO_INTERRUPT;
    for (let left = bank.candidates(0, allowed); left !== 0; left &= left - 1) {
      const intid = 31 - Math.clz32(left & -left);
      if (best === NO_INTERRUPT || bank.priority(intid) < bank.priority(best)) best = intid;
    }
    best = this.#better(best, shared.highest(this, allowed));
    // LPIs are of group 1.
    return this.lpis === undefined || (allowed & 2) === 0 ? best : this.#better(best, this.lpis.highest);
  }

  #better(one: number, other: number): number {
    if (other === NO_INTERRUPT) return one;
    return one === NO_INTERRUPT || this.priority(other) < this.priority(one) ? other : one;
  }

  priority(intid: number): number {
    return intid >= FIRST_LPI ? (this.lpis?.priority(intid) ?? 0) : this.#bankOf(intid).priority(intid);
  }

  group(intid: number): InterruptGroup {
    return intid >= FIRST_LPI ? 1 : this.#bankOf(intid).group(intid);
  }

  /** An LPI is never active. */
  acknowledge(intid: number): void {
    if (intid >= FIRST_LPI) this.lpis?.drop(intid);
    else this.#bankOf(intid).acknowledge(intid);
  }

  deactivate(intid: number): void {
    this.#bankOf(intid).deactivate(intid);
  }

  generate(intid: number, group: InterruptGroup, target: number | 'others'): void {
    for (const other of this.#gic.redistributors) {
      const chosen = target === 'others' ? other !== this : other.affinity === target;
      if (chosen && other.bank.group(intid) === group) other.bank.latch(intid);
    }
  }

  setLevel(intid: number, level: boolean): void {
    this.bank.setLevel(intid, level);
  }

  changed(): void {
    this.onChange?.();
  }

  save(): RedistributorState {
    return { bank: this.bank.save(), asleep: this.#asleep, ...(this.lpis && { lpis: this.lpis.save() }) };
  }

  restore({ bank, asleep, lpis }: RedistributorState): void {
    this.#asleep = asleep;
    if (lpis !== undefined) this.lpis?.restore(lpis);
    this.bank.restore(bank);
  }

  #bankOf(intid: number): InterruptBank {
    return intid < PRIVATE_INTERRUPTS ? this.bank : this.#gic.shared.bank;
  }
}
