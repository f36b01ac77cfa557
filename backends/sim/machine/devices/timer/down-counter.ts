import type { Clock } from '../../../cpu/index.ts';
import { GuestAlarm } from '../../guest-alarm.ts';

const NANOSECONDS = 1_000_000_000;

export interface DownCounterState {
  readonly running: boolean;
  readonly value: number;
  readonly since: number;
  readonly expires: number | undefined;
}

/** A counter that counts guest time down to zero, of 32 bits. */
export class DownCounter {
  readonly #clock: Clock;
  readonly #alarm: GuestAlarm;
  #hertz: number;
  #running = false;
  /** Its value at the time `#since`. */
  #value = 0xffff_ffff;
  #since = 0;

  /** @param expired called when it has counted to zero, where it then stays until it is loaded */
  constructor(clock: Clock, hertz: number, expired: () => void) {
    this.#clock = clock;
    this.#hertz = hertz;
    this.#alarm = new GuestAlarm(clock, expired);
  }

  get value(): number {
    if (!this.#running) return this.#value;
    return Math.max(0, this.#value - this.#ticks(this.#clock.now - this.#since));
  }

  get running(): boolean {
    return this.#running;
  }

  /** Continues from where it is, with another frequency. */
  setFrequency(hertz: number): void {
    if (hertz === this.#hertz) return;
    const value = this.value;
    this.#hertz = hertz;
    this.load(value);
  }

  /** @param value 32 bits, unsigned */
  load(value: number): void {
    this.#value = value;
    this.#since = this.#clock.now;
    this.#schedule();
  }

  run(running: boolean): void {
    if (running === this.#running) return;
    const value = this.value;
    this.#running = running;
    this.load(value);
  }

  save(): DownCounterState {
    return { running: this.#running, value: this.#value, since: this.#since, expires: this.#alarm.at };
  }

  /** @param hertz the frequency that the state was saved with */
  restore({ running, value, since, expires }: DownCounterState, hertz: number): void {
    this.#hertz = hertz;
    this.#running = running;
    this.#value = value;
    this.#since = since;
    this.#alarm.set(expires);
  }

  #ticks(nanoseconds: number): number {
    return Math.floor((nanoseconds * this.#hertz) / NANOSECONDS);
  }

  #schedule(): void {
    // At least one tick: a guest that reloads zero must not hold time.
    const ticks = Math.max(1, this.#value);
    this.#alarm.set(this.#running ? this.#since + Math.ceil((ticks * NANOSECONDS) / this.#hertz) : undefined);
  }
}
