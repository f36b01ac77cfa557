import type { Clock } from '../../../cpu/index.ts';
import type { InterruptLine, Stateful } from '../../device.ts';
import { GuestAlarm } from '../../guest-alarm.ts';
import { PrimeCell } from '../primecell.ts';

/** Offsets (DDI0190, 3.2); data are below the first one, with address bits 9:2 as a mask. */
const Register = {
  DIR: 0x400,
  IS: 0x404,
  IBE: 0x408,
  IEV: 0x40c,
  IE: 0x410,
  RIS: 0x414,
  MIS: 0x418,
  IC: 0x41c,
  AFSEL: 0x420,
} as const;

interface Pl061State {
  readonly stored: readonly (readonly [number, number])[];
  readonly outputs: number;
  readonly inputs: number;
  readonly latched: number;
  readonly pulse: { readonly lines: number; readonly until: number } | undefined;
}

/** A PL061 with 8 GPIO lines (DDI0190). */
export class Pl061 extends PrimeCell implements Stateful<Pl061State> {
  readonly #clock: Clock;
  readonly #interrupt: InterruptLine;
  readonly #pulseEnd: GuestAlarm;
  /** DIR, IS, IBE, IEV, IE and AFSEL by their offsets. */
  readonly #stored = new Map<number, number>();
  #outputs = 0;
  #inputs = 0;
  /** Lines with an edge that was not cleared. */
  #latched = 0;
  /** Lines that fall when the pulse ends. */
  #pulsed = 0;

  constructor({ clock, interrupt }: { readonly clock: Clock; readonly interrupt: InterruptLine }) {
    super({ part: 0x061, revision: 0 });
    this.#clock = clock;
    this.#interrupt = interrupt;
    this.#pulseEnd = new GuestAlarm(clock, () => {
      const ended = this.#pulsed;
      this.#pulsed = 0;
      this.#setInputs(this.#inputs & ~ended);
    });
  }

  /** Drives an input. @param line 0 to 7 */
  setInput(line: number, level: boolean): void {
    this.#setInputs(level ? this.#inputs | (1 << line) : this.#inputs & ~(1 << line));
  }

  /** Drives an input high for some guest time, as who presses a button does. @param line 0 to 7 */
  pulse(line: number, nanoseconds: number): void {
    this.#pulsed |= 1 << line;
    this.#pulseEnd.set(this.#clock.now + nanoseconds);
    this.setInput(line, true);
  }

  protected readRegister(offset: number): number {
    if (offset < Register.DIR) return this.#levels & (offset >>> 2);
    if (offset === Register.RIS) return this.#raw;
    if (offset === Register.MIS) return this.#raw & this.#get(Register.IE);
    return this.#get(offset);
  }

  protected writeRegister(offset: number, value: number): void {
    if (offset < Register.DIR) {
      const mask = (offset >>> 2) & this.#get(Register.DIR);
      this.#outputs = (this.#outputs & ~mask) | (value & mask);
    } else if (offset === Register.IC) {
      this.#latched &= ~value;
    } else if (offset <= Register.AFSEL && offset !== Register.RIS && offset !== Register.MIS) {
      this.#stored.set(offset, value & 0xff);
    }
    this.#drive();
  }

  save(): Pl061State {
    const until = this.#pulseEnd.at;
    return {
      stored: [...this.#stored],
      outputs: this.#outputs,
      inputs: this.#inputs,
      latched: this.#latched,
      pulse: until === undefined ? undefined : { lines: this.#pulsed, until },
    };
  }

  restore({ stored, outputs, inputs, latched, pulse }: Pl061State): void {
    this.#stored.clear();
    for (const [offset, value] of stored) this.#stored.set(offset, value);
    this.#outputs = outputs;
    this.#inputs = inputs;
    this.#latched = latched;
    this.#pulsed = pulse?.lines ?? 0;
    this.#pulseEnd.set(pulse?.until);
    this.#drive();
  }

  #get(register: number): number {
    return this.#stored.get(register) ?? 0;
  }

  get #levels(): number {
    const direction = this.#get(Register.DIR);
    return (this.#outputs & direction) | (this.#inputs & ~direction);
  }

  /** GPIORIS: latched edges, and levels where those are sensed. */
  get #raw(): number {
    const sensed = this.#get(Register.IS);
    const active = ~(this.#levels ^ this.#get(Register.IEV));
    return ((this.#latched & ~sensed) | (active & sensed)) & 0xff;
  }

  #setInputs(inputs: number): void {
    const changed = this.#inputs ^ inputs;
    const event = this.#get(Register.IEV);
    const matching = this.#get(Register.IBE) | (inputs & event) | (~inputs & ~event);
    this.#latched |= changed & matching & ~this.#get(Register.IS) & 0xff;
    this.#inputs = inputs;
    this.#drive();
  }

  #drive(): void {
    this.#interrupt.set((this.#raw & this.#get(Register.IE)) !== 0);
  }
}
