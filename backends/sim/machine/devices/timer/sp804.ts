import type { Clock } from '../../../cpu/index.ts';
import type { InterruptLine, Stateful } from '../../device.ts';
import { PrimeCell } from '../primecell.ts';
import { DownCounter, type DownCounterState } from './down-counter.ts';

/** Offsets in the registers of a timer, which take 0x20 bytes (DDI0271, 3.2). */
const Register = { LOAD: 0x0, VALUE: 0x4, CONTROL: 0x8, INTCLR: 0xc, RIS: 0x10, MIS: 0x14, BGLOAD: 0x18 } as const;
const TIMER_BYTES = 0x20;
const TIMERS = 2;
/** TimerXControl. */
const Control = { ONE_SHOT: 1, SIZE32: 2, PRESCALE_SHIFT: 2, IE: 1 << 5, PERIODIC: 1 << 6, ENABLE: 1 << 7 } as const;
const CONTROL_BITS = 0xef;
const prescalers = [1, 16, 256, 256];

interface TimerState {
  readonly control: number;
  readonly load: number;
  readonly raw: boolean;
  readonly counter: DownCounterState;
}

class Timer implements Stateful<TimerState> {
  readonly #hertz: number;
  readonly #changed: () => void;
  readonly #counter: DownCounter;
  #control: number = Control.IE;
  #load = 0;
  #raw = false;

  constructor(clock: Clock, hertz: number, changed: () => void) {
    this.#hertz = hertz;
    this.#changed = changed;
    this.#counter = new DownCounter(clock, hertz, () => {
      this.#expired();
    });
  }

  get interrupts(): boolean {
    return this.#raw && (this.#control & Control.IE) !== 0;
  }

  read(offset: number): number {
    switch (offset) {
      case Register.LOAD:
      case Register.BGLOAD:
        return this.#load;
      case Register.VALUE:
        return this.#counter.value & this.#mask;
      case Register.CONTROL:
        return this.#control;
      case Register.RIS:
        return Number(this.#raw);
      case Register.MIS:
        return Number(this.interrupts);
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    switch (offset) {
      case Register.LOAD:
        this.#load = value;
        this.#counter.load((value & this.#mask) >>> 0);
        break;
      case Register.BGLOAD:
        this.#load = value;
        break;
      case Register.CONTROL:
        this.#control = value & CONTROL_BITS;
        this.#counter.setFrequency(this.#frequency);
        this.#counter.run((value & Control.ENABLE) !== 0);
        break;
      case Register.INTCLR:
        this.#raw = false;
        break;
    }
    this.#changed();
  }

  save(): TimerState {
    return { control: this.#control, load: this.#load, raw: this.#raw, counter: this.#counter.save() };
  }

  restore({ control, load, raw, counter }: TimerState): void {
    this.#control = control;
    this.#load = load;
    this.#raw = raw;
    this.#counter.restore(counter, this.#frequency);
  }

  get #mask(): number {
    return (this.#control & Control.SIZE32) === 0 ? 0xffff : 0xffff_ffff;
  }

  get #frequency(): number {
    return this.#hertz / (prescalers[(this.#control >>> Control.PRESCALE_SHIFT) & 3] ?? 1);
  }

  #expired(): void {
    this.#raw = true;
    if ((this.#control & Control.ONE_SHOT) === 0) {
      const periodic = (this.#control & Control.PERIODIC) !== 0;
      this.#counter.load(((periodic ? this.#load : 0xffff_ffff) & this.#mask) >>> 0);
    }
    this.#changed();
  }
}

export interface Sp804Options {
  readonly clock: Clock;
  readonly interrupt: InterruptLine;
  /** Of both timers. @default 1 MHz */
  readonly hertz?: number;
}

/** An SP804: two timers that count down, with one interrupt (DDI0271). */
export class Sp804 extends PrimeCell implements Stateful<readonly TimerState[]> {
  readonly #interrupt: InterruptLine;
  readonly #timers: readonly Timer[];

  constructor({ clock, interrupt, hertz = 1_000_000 }: Sp804Options) {
    super({ part: 0x804, revision: 1 });
    this.#interrupt = interrupt;
    this.#timers = Array.from(
      { length: TIMERS },
      () =>
        new Timer(clock, hertz, () => {
          this.#drive();
        }),
    );
  }

  protected readRegister(offset: number): number {
    return this.#timers[Math.floor(offset / TIMER_BYTES)]?.read(offset % TIMER_BYTES) ?? 0;
  }

  protected writeRegister(offset: number, value: number): void {
    this.#timers[Math.floor(offset / TIMER_BYTES)]?.write(offset % TIMER_BYTES, value);
  }

  save(): readonly TimerState[] {
    return this.#timers.map((timer) => timer.save());
  }

  restore(state: readonly TimerState[]): void {
    for (const [index, timer] of state.entries()) this.#timers[index]?.restore(timer);
    this.#drive();
  }

  #drive(): void {
    this.#interrupt.set(this.#timers.some((timer) => timer.interrupts));
  }
}
