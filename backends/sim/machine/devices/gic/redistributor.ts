import { type InterruptGroup, type InterruptRouting, NO_INTERRUPT } from '../../../cpu/index.ts';
import { type BankState, InterruptBank, PRIVATE_INTERRUPTS } from './interrupt-bank.ts';
import type { SharedInterrupts } from './shared-interrupts.ts';

const SGIS = 16;

/** State of a `Redistributor`. */
export interface RedistributorState {
  readonly bank: BankState;
  readonly asleep: boolean;
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
  readonly #gic: GicParts;
  #asleep = true;
  #enabledGroups = 0;

  constructor(affinity: number, gic: GicParts) {
    this.affinity = affinity;
    this.#gic = gic;
    this.bank = new InterruptBank(0, PRIVATE_INTERRUPTS, SGIS, () => {
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
    const spi = shared.highest(this, allowed);
    if (spi === NO_INTERRUPT) return best;
    return best === NO_INTERRUPT || this.priority(spi) < this.priority(best) ? spi : best;
  }

  priority(intid: number): number {
    return this.#bankOf(intid).priority(intid);
  }

  group(intid: number): InterruptGroup {
    return this.#bankOf(intid).group(intid);
  }

  acknowledge(intid: number): void {
    this.#bankOf(intid).acknowledge(intid);
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
    return { bank: this.bank.save(), asleep: this.#asleep };
  }

  restore({ bank, asleep }: RedistributorState): void {
    this.#asleep = asleep;
    this.bank.restore(bank);
  }

  #bankOf(intid: number): InterruptBank {
    return intid < PRIVATE_INTERRUPTS ? this.bank : this.#gic.shared.bank;
  }
}
