import type { Alarm, Clock } from '../cpu/index.ts';

/** The one alarm that a device has set at a time; its deadline is what a snapshot of the device keeps of it. */
export class GuestAlarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #alarm: Alarm | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Guest time in nanoseconds at which it rings; undefined if it is not set. */
  get at(): number | undefined {
    return this.#alarm?.at;
  }

  /** Replaces the deadline. @param at guest time in nanoseconds; undefined or Infinity for none */
  set(at: number | undefined): void {
    if (this.#alarm !== undefined) this.#clock.cancel(this.#alarm);
    if (at === undefined || !Number.isFinite(at)) {
      this.#alarm = undefined;
      return;
    }
    this.#alarm = this.#clock.setAlarm(at, () => {
      this.#alarm = undefined;
      this.#ring();
    });
  }
}
