import type { Clock } from '../../../cpu/index.ts';
import type { InterruptLine, Stateful } from '../../device.ts';
import { GuestAlarm } from '../../guest-alarm.ts';
import { PrimeCell } from '../primecell.ts';

/** Offsets (DDI0224, 3.2). */
const Register = { DR: 0x0, MR: 0x4, LR: 0x8, CR: 0xc, IMSC: 0x10, RIS: 0x14, MIS: 0x18, ICR: 0x1c } as const;
const NANOSECONDS = 1_000_000_000;
const WRAP = 2 ** 32;

/** 2026-01-01T00:00:00Z: every guest starts at the same time, so that two runs are the same. */
const DEFAULT_START = 1_767_225_600;

interface Pl031State {
  readonly offset: number;
  readonly match: number;
  readonly load: number;
  readonly mask: number;
  readonly raw: number;
  readonly matches: number | undefined;
}

export interface Pl031Options {
  readonly clock: Clock;
  readonly interrupt: InterruptLine;
  /** Seconds since 1970 at guest time zero. @default 2026-01-01T00:00:00Z */
  readonly start?: number;
}

/** A PL031 real-time clock (DDI0224), which counts the seconds of guest time and is enabled from reset on. */
export class Pl031 extends PrimeCell implements Stateful<Pl031State> {
  readonly #clock: Clock;
  readonly #interrupt: InterruptLine;
  readonly #alarm: GuestAlarm;
  /** Seconds to add to those of guest time. */
  #offset: number;
  #match = 0;
  #load = 0;
  #mask = 0;
  #raw = 0;

  constructor({ clock, interrupt, start = DEFAULT_START }: Pl031Options) {
    super({ part: 0x031, revision: 0 });
    this.#clock = clock;
    this.#interrupt = interrupt;
    this.#offset = start;
    this.#alarm = new GuestAlarm(clock, () => {
      this.#raw = 1;
      this.#drive();
      this.#schedule();
    });
  }

  protected readRegister(offset: number): number {
    switch (offset) {
      case Register.DR:
        return this.#now;
      case Register.MR:
        return this.#match;
      case Register.LR:
        return this.#load;
      case Register.CR:
        return 1;
      case Register.IMSC:
        return this.#mask;
      case Register.RIS:
        return this.#raw;
      case Register.MIS:
        return this.#raw & this.#mask;
      default:
        return 0;
    }
  }

  protected writeRegister(offset: number, value: number): void {
    switch (offset) {
      case Register.MR:
        this.#match = value;
        this.#schedule();
        break;
      case Register.LR:
        this.#load = value;
        this.#offset = value - this.#seconds;
        this.#schedule();
        break;
      case Register.IMSC:
        this.#mask = value & 1;
        break;
      case Register.ICR:
        this.#raw &= ~value;
        break;
    }
    this.#drive();
  }

  save(): Pl031State {
    return {
      offset: this.#offset,
      match: this.#match,
      load: this.#load,
      mask: this.#mask,
      raw: this.#raw,
      matches: this.#alarm.at,
    };
  }

  restore({ offset, match, load, mask, raw, matches }: Pl031State): void {
    this.#offset = offset;
    this.#match = match;
    this.#load = load;
    this.#mask = mask;
    this.#raw = raw;
    this.#alarm.set(matches);
    this.#drive();
  }

  get #seconds(): number {
    return Math.floor(this.#clock.now / NANOSECONDS);
  }

  get #now(): number {
    return modulo(this.#seconds + this.#offset);
  }

  /** The counter matches next when it has counted from here to the match register, or has wrapped to it. */
  #schedule(): void {
    const seconds = modulo(this.#match - this.#now) || WRAP;
    this.#alarm.set((this.#seconds + seconds) * NANOSECONDS);
  }

  #drive(): void {
    this.#interrupt.set((this.#raw & this.#mask) !== 0);
  }
}

function modulo(value: number): number {
  return ((value % WRAP) + WRAP) % WRAP;
}
