import { type Clock, COUNTER_FREQUENCY, counterAt } from '../../../cpu/index.ts';
import { type Device, type InterruptLine, RegisterFrame, type Stateful } from '../../device.ts';
import { GuestAlarm } from '../../guest-alarm.ts';

/** Offsets in the control frame, and of the one register of the refresh frame (BSA 1.0, A.3; DEN0029, C). */
const Register = { WCS: 0x0, WOR_LOW: 0x8, WOR_HIGH: 0xc, WCV_LOW: 0x10, WCV_HIGH: 0x14, IIDR: 0xfcc } as const;
const WRR = 0x0;
const Wcs = { EN: 1, WS0: 2, WS1: 4 } as const;
/** W_IIDR: revision 1 of the architecture, whose offset has 48 bits; implementer Arm. */
const IIDR = (1 << 16) | 0x43b;
const WORD = 2 ** 32;
const NANOSECONDS = 1_000_000_000;

interface GenericWatchdogState {
  readonly status: number;
  readonly offset: number;
  readonly compare: number;
  readonly due: number | undefined;
}

export interface GenericWatchdogOptions {
  readonly clock: Clock;
  /** WS0. */
  readonly interrupt: InterruptLine;
  /** WS1: called when the watchdog resets the machine. */
  readonly reset: () => void;
}

/** The generic watchdog of BSA, which counts with the system counter: two frames of registers. */
export class GenericWatchdog implements Stateful<GenericWatchdogState> {
  readonly control: Device;
  readonly refresh: Device;
  readonly #clock: Clock;
  readonly #interrupt: InterruptLine;
  readonly #reset: () => void;
  readonly #alarm: GuestAlarm;
  #status = 0;
  /** WOR and WCV in ticks. The compare value is kept below 2^53, which takes three years. */
  #offset = 0;
  #compare = 0;

  constructor({ clock, interrupt, reset }: GenericWatchdogOptions) {
    this.#clock = clock;
    this.#interrupt = interrupt;
    this.#reset = reset;
    this.#alarm = new GuestAlarm(clock, () => {
      this.#expired();
    });
    this.control = new RegisterFrame(
      (offset) => this.#read(offset),
      (offset, value) => {
        this.#write(offset, value);
      },
    );
    this.refresh = new RegisterFrame(
      (offset) => (offset === Register.IIDR ? IIDR : 0),
      (offset) => {
        if (offset === WRR) this.#restart();
      },
    );
  }

  save(): GenericWatchdogState {
    return { status: this.#status, offset: this.#offset, compare: this.#compare, due: this.#alarm.at };
  }

  restore({ status, offset, compare, due }: GenericWatchdogState): void {
    this.#status = status;
    this.#offset = offset;
    this.#compare = compare;
    this.#alarm.set(due);
    this.#drive();
  }

  #read(offset: number): number {
    switch (offset) {
      case Register.WCS:
        return this.#status;
      case Register.WOR_LOW:
        return this.#offset % WORD;
      case Register.WOR_HIGH:
        return Math.floor(this.#offset / WORD);
      case Register.WCV_LOW:
        return this.#compare % WORD;
      case Register.WCV_HIGH:
        return Math.floor(this.#compare / WORD);
      case Register.IIDR:
        return IIDR;
      default:
        return 0;
    }
  }

  #write(offset: number, value: number): void {
    switch (offset) {
      case Register.WCS:
        this.#status = value & Wcs.EN;
        this.#restart();
        break;
      case Register.WOR_LOW:
        this.#offset = Math.floor(this.#offset / WORD) * WORD + value;
        this.#restart();
        break;
      case Register.WOR_HIGH:
        this.#offset = (value & 0xffff) * WORD + (this.#offset % WORD);
        this.#restart();
        break;
      case Register.WCV_LOW:
        this.#compare = Math.floor(this.#compare / WORD) * WORD + value;
        this.#schedule();
        break;
      case Register.WCV_HIGH:
        this.#compare = (value & 0x1f_ffff) * WORD + (this.#compare % WORD);
        this.#schedule();
        break;
    }
  }

  /** An explicit refresh: also what writing to WCS and WOR does. */
  #restart(): void {
    this.#status &= Wcs.EN;
    this.#drive();
    this.#count();
  }

  #count(): void {
    this.#compare = counterAt(this.#clock.now) + this.#offset;
    this.#schedule();
  }

  #expired(): void {
    if ((this.#status & Wcs.WS0) !== 0) {
      this.#status |= Wcs.WS1;
      this.#reset();
      return;
    }
    this.#status |= Wcs.WS0;
    this.#drive();
    this.#count();
  }

  #schedule(): void {
    const at = Math.ceil(this.#compare * (NANOSECONDS / Number(COUNTER_FREQUENCY)));
    this.#alarm.set((this.#status & Wcs.EN) === 0 ? undefined : at);
  }

  #drive(): void {
    this.#interrupt.set((this.#status & Wcs.WS0) !== 0);
  }
}
