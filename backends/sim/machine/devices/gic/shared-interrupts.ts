import { NO_INTERRUPT } from '../../../cpu/index.ts';
import { type BankState, InterruptBank, INTERRUPTS, PRIVATE_INTERRUPTS } from './interrupt-bank.ts';

/** GICD_IROUTERn: Aff3, and Interrupt_Routing_Mode with Aff2 to Aff0. */
const ROUTE_HIGH = 0xff;
const IRM = 0x8000_0000;
const ROUTE_LOW = 0x80ff_ffff;

/** A PE, as SPIs that are to be routed see it. */
interface Target {
  readonly affinity: number;
  /** Groups of which it may be given interrupts, bit n for group n. */
  readonly accepts: number;
  /** To be called after each change of what may be signalled. */
  changed(): void;
}

/** State of `SharedInterrupts`. */
export interface SharedState {
  readonly bank: BankState;
  readonly routes: BigUint64Array;
  readonly forwarded: number;
}

/** SPIs, and what the distributor does with them (IHI0069, 4.2 and 4.8.8). */
export class SharedInterrupts {
  readonly bank: InterruptBank;
  readonly #targets: readonly Target[];
  readonly #routesLow = new Uint32Array(INTERRUPTS);
  readonly #routesHigh = new Uint32Array(INTERRUPTS);
  /** Groups that the distributor forwards, bit n for group n. */
  #forwarded = 0;

  /** @param targets the PEs, in the order in which one of them is chosen for an SPI that any may take */
  constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.bank = new InterruptBank(PRIVATE_INTERRUPTS, INTERRUPTS, 0, () => {
      this.changed();
    });
  }

  /** Whether an SPI can be for any PE (GICD_TYPER.No1N): it needs more than one. */
  get oneOfN(): boolean {
    return this.#targets.length > 1;
  }

  get forwarded(): number {
    return this.#forwarded;
  }
  set forwarded(groups: number) {
    this.#forwarded = groups;
    this.changed();
  }

  /** A half of GICD_IROUTERn. */
  route(intid: number, high: boolean): number {
    return (high ? this.#routesHigh : this.#routesLow)[intid] ?? 0;
  }
  setRoute(intid: number, high: boolean, value: number): void {
    if (high) this.#routesHigh[intid] = value & ROUTE_HIGH;
    else this.#routesLow[intid] = value & (this.oneOfN ? ROUTE_LOW : ROUTE_LOW & ~IRM);
    this.changed();
  }

  /** The SPI for a PE that has the highest priority of those that can be given to it; `NO_INTERRUPT` for none. */
  highest(target: Target, groups: number): number {
    const { bank } = this;
    let best: number = NO_INTERRUPT;
    for (let word = 0; word < bank.groups.length; word += 1) {
      let left = bank.candidates(word, groups);
      for (; left !== 0; left &= left - 1) {
        const intid = bank.first + word * 32 + 31 - Math.clz32(left & -left);
        if (!this.#routesTo(intid, target)) continue;
        if (best === NO_INTERRUPT || bank.priority(intid) < bank.priority(best)) best = intid;
      }
    }
    return best;
  }

  /** An SPI that any PE may take goes to the first that has its group enabled: always the same choice. */
  #routesTo(intid: number, target: Target): boolean {
    const low = this.#routesLow[intid] ?? 0;
    if ((low & IRM) === 0) return target.affinity === (this.#routesHigh[intid] ?? 0) * 2 ** 32 + low;
    const group = 1 << this.bank.group(intid);
    return this.#targets.find(({ accepts }) => (accepts & group) !== 0) === target;
  }

  /** To be called after each change of what PEs may be given. */
  changed(): void {
    for (const target of this.#targets) target.changed();
  }

  save(): SharedState {
    const routes = new BigUint64Array(INTERRUPTS);
    routes.forEach((_, n) => (routes[n] = (BigInt(this.route(n, true)) << 32n) | BigInt(this.route(n, false))));
    return { bank: this.bank.save(), routes, forwarded: this.#forwarded };
  }

  restore({ bank, routes, forwarded }: SharedState): void {
    routes.forEach((route, n) => {
      this.#routesLow[n] = Number(route & 0xffff_ffffn);
      this.#routesHigh[n] = Number(route >> 32n);
    });
    this.#forwarded = forwarded;
    this.bank.restore(bank);
  }
}
