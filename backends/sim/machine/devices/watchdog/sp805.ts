import type { Clock } from '../../../cpu/index.ts';
import type { InterruptLine, Stateful } from '../../device.ts';
import { PrimeCell } from '../primecell.ts';
import { DownCounter, type DownCounterState } from '../timer/down-counter.ts';

/** Offsets (DDI0270, 3.2). */
const Register = { LOAD: 0x0, VALUE: 0x4, CONTROL: 0x8, INTCLR: 0xc, RIS: 0x10, MIS: 0x14, LOCK: 0xc00 } as const;
const Control = { INTEN: 1, RESEN: 2 } as const;
const UNLOCK = 0x1acc_e551;

interface Sp805State {
  readonly load: number;
  readonly control: number;
  readonly raw: boolean;
  readonly locked: boolean;
  readonly counter: DownCounterState;
}

export interface Sp805Options {
  readonly clock: Clock;
  readonly interrupt: InterruptLine;
  /** Of WDOGCLK. @default 32768 Hz */
  readonly hertz?: number;
  /** Called when the watchdog resets the machine. */
  readonly reset: () => void;
}

/**
 * An SP805 watchdog (DDI0270): it interrupts when it has counted down, and resets the machine when it has done so again
 * before the interrupt was cleared. Without its integration test registers.
 */
export class Sp805 extends PrimeCell implements Stateful<Sp805State> {
  readonly #hertz: number;
  readonly #interrupt: InterruptLine;
  readonly #reset: () => void;
  readonly #counter: DownCounter;
  #load = 0xffff_ffff;
  #control = 0;
  #raw = false;
  #locked = false;

  constructor({ clock, interrupt, hertz = 32_768, reset }: Sp805Options) {
    super({ part: 0x805, revision: 1 });
    this.#hertz = hertz;
    this.#interrupt = interrupt;
    this.#reset = reset;
    this.#counter = new DownCounter(clock, hertz, () => {
      this.#expired();
    });
  }

  protected readRegister(offset: number): number {
    switch (offset) {
      case Register.LOAD:
        return this.#load;
      case Register.VALUE:
        return this.#counter.value;
      case Register.CONTROL:
        return this.#control;
      case Register.RIS:
        return Number(this.#raw);
      case Register.MIS:
        return Number(this.#raw && (this.#control & Control.INTEN) !== 0);
      case Register.LOCK:
        return Number(this.#locked);
      default:
        return 0;
    }
  }

  protected writeRegister(offset: number, value: number): void {
    if (offset === Register.LOCK) {
      this.#locked = value !== UNLOCK;
      return;
    }
    if (this.#locked) return;
    switch (offset) {
      case Register.LOAD:
        this.#load = value;
        this.#counter.load(value);
        break;
      case Register.CONTROL:
        // Enabling the interrupt reloads and starts the counter.
        if ((value & ~this.#control & Control.INTEN) !== 0) this.#counter.load(this.#load);
        this.#control = value & 3;
        this.#counter.run((value & Control.INTEN) !== 0);
        break;
      case Register.INTCLR:
        this.#raw = false;
        this.#counter.load(this.#load);
        break;
    }
    this.#drive();
  }

  save(): Sp805State {
    return {
      load: this.#load,
      control: this.#control,
      raw: this.#raw,
      locked: this.#locked,
      counter: this.#counter.save(),
    };
  }

  restore({ load, control, raw, locked, counter }: Sp805State): void {
    this.#load = load;
    this.#control = control;
    this.#raw = raw;
    this.#locked = locked;
    this.#counter.restore(counter, this.#hertz);
    this.#drive();
  }

  #expired(): void {
    if (this.#raw && (this.#control & Control.RESEN) !== 0) {
      this.#reset();
      return;
    }
    this.#raw = true;
    this.#counter.load(this.#load);
    this.#drive();
  }

  #drive(): void {
    this.#interrupt.set(this.#raw && (this.#control & Control.INTEN) !== 0);
  }
}
