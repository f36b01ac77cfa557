import type { Alarm, Clock } from '../clock.ts';
import type { ExceptionLevel } from '../exception-level.ts';
import { type InterruptRouting, PMU_INTERRUPT } from '../gic/interrupt-routing.ts';

/** Event counters (PMCR_EL0.N), of 32 bits; the cycle counter is number 31 in registers of bits. */
export const EVENT_COUNTERS = 6;
export const CYCLE_COUNTER = 31;
const COUNTERS = [...Array.from({ length: EVENT_COUNTERS }, (_, n) => n), CYCLE_COUNTER];
export const COUNTER_BITS = (2 ** 31 + 2 ** EVENT_COUNTERS - 1) >>> 0;

/** Events that are counted (Arm ARM, D13.10.3). The PE retires one instruction in each cycle that it runs. */
export const PmuEvent = { SW_INCR: 0x00, INST_RETIRED: 0x08, CPU_CYCLES: 0x11, CHAIN: 0x1e } as const;
/** PMCR_EL0: what software sets, and what it makes happen. */
const Pmcr = { E: 1, P: 2, C: 4, Kept: 0x39 } as const;
/** PMEVTYPERn_EL0 and PMCCFILTR_EL0: exclude EL1, exclude EL0, include EL2. */
const Filter = { P: 2 ** 31, U: 1 << 30, NSH: 1 << 27 } as const;
const EVENT_MASK = 0xffff;
const WRAP = 2 ** 32;
const WRAP_CYCLES = 1n << 64n;

/** State of a `Pmu`: plain data. */
export interface PmuState {
  readonly control: number;
  readonly enabled: number;
  readonly interrupts: number;
  readonly overflows: number;
  readonly values: readonly number[];
  readonly cycles: bigint;
  readonly types: readonly number[];
}

/** Instructions that a PE retired at each Exception level. */
type Retired = (el: ExceptionLevel) => number;

/**
 * The performance monitors of a PE (Arm ARM, D13): PMUv3 with a cycle counter and 6 event counters. Counters are
 * brought up to date when they are looked at; an overflow that interrupts has an alarm at its instruction.
 */
export class Pmu {
  readonly #retired: Retired;
  readonly #clock: Clock;
  readonly #routing: InterruptRouting;
  #control = 0;
  #enabled = 0;
  #interrupts = 0;
  #overflows = 0;
  readonly #values = new Float64Array(EVENT_COUNTERS);
  #cycles = 0n;
  /** PMEVTYPERn_EL0, then PMCCFILTR_EL0. */
  readonly #types = new Uint32Array(EVENT_COUNTERS + 1);
  /** What `#retired` returned when the counters were up to date. */
  readonly #seen = [0, 0, 0, 0];
  /** The level of the interrupt. */
  #level = false;
  #alarm: Alarm | undefined;
  /** The Exception level for which the alarm was set; undefined while the PE does not run. */
  #runningAt: ExceptionLevel | undefined;

  constructor(retired: Retired, clock: Clock, routing: InterruptRouting) {
    this.#retired = retired;
    this.#clock = clock;
    this.#routing = routing;
  }

  get control(): number {
    return this.#control;
  }
  set control(value: number) {
    this.#update(() => {
      this.#control = value & Pmcr.Kept;
      if ((value & Pmcr.P) !== 0) this.#values.fill(0);
      if ((value & Pmcr.C) !== 0) this.#cycles = 0n;
    });
  }

  get enabled(): number {
    return this.#enabled;
  }
  get interrupts(): number {
    return this.#interrupts;
  }
  get overflows(): number {
    this.#count();
    return this.#overflows;
  }
  /** Changes bits of PMCNTEN, PMINTEN or PMOVS. */
  change(what: 'enabled' | 'interrupts' | 'overflows', clear: number, set: number): void {
    const change = (value: number): number => (((value & ~clear) | set) & COUNTER_BITS) >>> 0;
    this.#update(() => {
      if (what === 'enabled') this.#enabled = change(this.#enabled);
      else if (what === 'interrupts') this.#interrupts = change(this.#interrupts);
      else this.#overflows = change(this.#overflows);
    });
  }

  /** PMEVCNTRn_EL0, or PMCCNTR_EL0; zero for one that does not exist. */
  value(counter: number): bigint {
    this.#count();
    return counter === CYCLE_COUNTER ? this.#cycles : BigInt(this.#values[counter] ?? 0);
  }
  setValue(counter: number, value: bigint): void {
    this.#update(() => {
      if (counter === CYCLE_COUNTER) this.#cycles = value;
      else this.#values[counter] = Number(value & 0xffff_ffffn);
    });
  }

  /** PMEVTYPERn_EL0, or PMCCFILTR_EL0. */
  type(counter: number): number {
    return this.#types[placeOf(counter)] ?? 0;
  }
  setType(counter: number, value: number): void {
    const bits = Filter.P + Filter.U + Filter.NSH + (counter === CYCLE_COUNTER ? 0 : EVENT_MASK);
    this.#update(() => {
      this.#types[placeOf(counter)] = value & bits;
    });
  }

  /** PMSWINC_EL0 at an Exception level. */
  increment(counters: number, el: ExceptionLevel): void {
    this.#update(() => {
      for (let n = 0; n < EVENT_COUNTERS; n += 1) {
        const counts = this.#eventOf(n) === PmuEvent.SW_INCR && this.#includes(n, el) && this.#isOn(n);
        if (counts && ((counters >>> n) & 1) !== 0) this.#add(n, 1);
      }
    });
  }

  /** To be called when the PE runs at another Exception level than before, or not at all. */
  runsAt(el: ExceptionLevel | undefined): void {
    if (el === this.#runningAt) return;
    this.#runningAt = el;
    if (this.#interrupts !== 0) this.#setAlarm();
  }

  reset(): void {
    this.#update(() => {
      this.#control = this.#enabled = this.#interrupts = this.#overflows = 0;
    });
  }

  save(): PmuState {
    this.#count();
    return {
      control: this.#control,
      enabled: this.#enabled,
      interrupts: this.#interrupts,
      overflows: this.#overflows,
      values: [...this.#values],
      cycles: this.#cycles,
      types: [...this.#types],
    };
  }

  /** To be called after `#retired` was restored. */
  restore(state: PmuState): void {
    this.#count();
    this.#control = state.control;
    this.#enabled = state.enabled;
    this.#interrupts = state.interrupts;
    this.#overflows = state.overflows;
    this.#values.set(state.values);
    this.#cycles = state.cycles;
    this.#types.set(state.types);
    this.#changed();
  }

  #update(change: () => void): void {
    this.#count();
    change();
    this.#changed();
  }

  #changed(): void {
    this.#level = this.#signals;
    this.#routing.setLevel(PMU_INTERRUPT, this.#level);
    this.#setAlarm();
  }

  get #signals(): boolean {
    return (this.#control & Pmcr.E) !== 0 && (this.#overflows & this.#interrupts) !== 0;
  }

  /** Brings the counters up to date. */
  #count(): void {
    const retired = ([0, 1, 2, 3] as const).map((el) => {
      const now = this.#retired(el);
      const since = now - (this.#seen[el] ?? 0);
      this.#seen[el] = now;
      return since;
    });
    if ((this.#control & Pmcr.E) === 0) return;
    // Odd counters last, since they may count overflows of even ones.
    for (const counter of COUNTERS) {
      if (!this.#counts(counter)) continue;
      let added = 0;
      for (const el of [0, 1, 2] as const) if (this.#includes(counter, el)) added += retired[el] ?? 0;
      if (added > 0) this.#add(counter, added);
    }
  }

  #add(counter: number, added: number): void {
    if (counter === CYCLE_COUNTER) {
      this.#cycles += BigInt(added);
      if (this.#cycles < WRAP_CYCLES) return;
      this.#cycles -= WRAP_CYCLES;
      this.#overflows = (this.#overflows | (1 << CYCLE_COUNTER)) >>> 0;
      return;
    }
    const sum = (this.#values[counter] ?? 0) + added;
    this.#values[counter] = sum % WRAP;
    if (sum < WRAP) return;
    this.#overflows |= 1 << counter;
    const next = counter + 1;
    const chained = counter % 2 === 0 && next < EVENT_COUNTERS && this.#eventOf(next) === PmuEvent.CHAIN;
    if (chained && this.#isOn(next)) this.#add(next, Math.floor(sum / WRAP));
  }

  #isOn(counter: number): boolean {
    return (this.#control & Pmcr.E) !== 0 && ((this.#enabled >>> counter) & 1) !== 0;
  }

  /** Whether a counter counts instructions. */
  #counts(counter: number): boolean {
    if (!this.#isOn(counter)) return false;
    const event = this.#eventOf(counter);
    return counter === CYCLE_COUNTER || event === PmuEvent.INST_RETIRED || event === PmuEvent.CPU_CYCLES;
  }

  #eventOf(counter: number): number {
    return this.type(counter) & EVENT_MASK;
  }

  #includes(counter: number, el: ExceptionLevel): boolean {
    const type = this.type(counter);
    if (el === 0) return (type & Filter.U) === 0;
    return el === 1 ? type < Filter.P : (type & Filter.NSH) !== 0;
  }

  /** Sets the alarm for the next overflow, if that may interrupt and the PE goes on as it runs. */
  #setAlarm(): void {
    if (this.#alarm !== undefined) this.#clock.cancel(this.#alarm);
    this.#alarm = undefined;
    const el = this.#runningAt;
    if (el === undefined || this.#interrupts === 0) return;
    this.#count();
    // An overflow that is seen between points that every run reaches interrupts at the next of them: see `Clock.ring`.
    let left = this.#signals === this.#level ? Infinity : 0;
    for (const counter of COUNTERS) {
      if (!this.#counts(counter) || !this.#includes(counter, el)) continue;
      const more = counter === CYCLE_COUNTER ? Number(WRAP_CYCLES - this.#cycles) : WRAP - (this.#values[counter] ?? 0);
      left = Math.min(left, more);
    }
    if (left > Number.MAX_SAFE_INTEGER / 2) return;
    this.#alarm = this.#clock.setAlarm(this.#clock.now + left, () => {
      this.#update(() => undefined);
    });
  }
}

/** Where the type of a counter is. */
function placeOf(counter: number): number {
  return counter === CYCLE_COUNTER ? EVENT_COUNTERS : counter < EVENT_COUNTERS ? counter : -1;
}
