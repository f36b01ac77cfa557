import { type Clock, COUNTER_FREQUENCY, counterAt } from '../../../cpu/index.ts';
import type { InterruptLine, Stateful } from '../../device.ts';
import { GuestAlarm } from '../../guest-alarm.ts';

/** Offsets in the registers of a timer: CNTP_CVAL, CNTP_TVAL and CNTP_CTL of a CNTBaseN frame start at 0x20. */
const Register = { CVAL_LOW: 0x0, CVAL_HIGH: 0x4, TVAL: 0x8, CTL: 0xc } as const;
const Ctl = { ENABLE: 1, IMASK: 2, ISTATUS: 4 } as const;
const WORD = 2 ** 32;
const NANOSECONDS_PER_TICK = 1_000_000_000 / Number(COUNTER_FREQUENCY);

export interface FrameTimerState {
  readonly control: number;
  readonly low: number;
  readonly high: number;
  readonly due: number | undefined;
}

/** A generic timer with registers in memory (Arm ARM, I2.3). */
export class FrameTimer implements Stateful<FrameTimerState> {
  readonly #clock: Clock;
  readonly #interrupt: InterruptLine;
  readonly #alarm: GuestAlarm;
  #control = 0;
  /** CompareValue, in words. */
  #low = 0;
  #high = 0;

  constructor(clock: Clock, interrupt: InterruptLine) {
    this.#clock = clock;
    this.#interrupt = interrupt;
    this.#alarm = new GuestAlarm(clock, () => {
      this.#drive();
    });
  }

  read(offset: number): number {
    switch (offset) {
      case Register.CVAL_LOW:
        return this.#low;
      case Register.CVAL_HIGH:
        return this.#high;
      case Register.TVAL:
        return (this.#low - (counterAt(this.#clock.now) % WORD)) >>> 0;
      case Register.CTL:
        return this.#control | (this.#met ? Ctl.ISTATUS : 0);
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    switch (offset) {
      case Register.CVAL_LOW:
        this.#low = value;
        break;
      case Register.CVAL_HIGH:
        this.#high = value;
        break;
      case Register.TVAL: {
        const compare = counterAt(this.#clock.now) + (value | 0);
        this.#low = compare >>> 0;
        this.#high = Math.floor(compare / WORD) >>> 0;
        break;
      }
      case Register.CTL:
        this.#control = value & (Ctl.ENABLE | Ctl.IMASK);
        break;
    }
    this.#drive();
    // Far deadlines are not exact beyond 2^53, which no clock of a guest reaches.
    const pending = !this.#met && this.#control === Ctl.ENABLE;
    this.#alarm.set(pending ? this.#compare * NANOSECONDS_PER_TICK : undefined);
  }

  save(): FrameTimerState {
    return { control: this.#control, low: this.#low, high: this.#high, due: this.#alarm.at };
  }

  restore({ control, low, high, due }: FrameTimerState): void {
    this.#control = control;
    this.#low = low;
    this.#high = high;
    this.#alarm.set(due);
    this.#drive();
  }

  get #compare(): number {
    return this.#high * WORD + this.#low;
  }

  get #met(): boolean {
    return (this.#control & Ctl.ENABLE) !== 0 && counterAt(this.#clock.now) >= this.#compare;
  }

  #drive(): void {
    this.#interrupt.set(this.#met && (this.#control & Ctl.IMASK) === 0);
  }
}
