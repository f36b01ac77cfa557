import type { Alarm, Clock } from '../cpu/index.ts';

/** The one alarm that a device has set at a time; its deadline is what a snapshot of the device keeps of it. */
export class GuestAlarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  readonly #rank: number;
  #alarm: Alarm | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
    this.#rank = clock.newRank();
  }

  /** Guest time in nanoseconds at which it rings; undefined if it is not set. */
  get at(): number | undefined {
    return this.#alarm?.at;
  }

  /**
   * Replaces the deadline.
   *
   * @param at guest time in nanoseconds; undefined for none, as is a time beyond 2^53: no guest lives to see it, and a
   *   clock that jumped there would not be exact any more
   */
  set(at: number | undefined): void {
    if (this.#alarm !== undefined) this.#clock.cancel(this.#alarm);
    if (at === undefined || at > Number.MAX_SAFE_INTEGER) {
      this.#alarm = undefined;
      return;
    }
    this.#alarm = this.#clock.setAlarm(
      at,
      () => {
        this.#alarm = undefined;
        this.#ring();
      },
      this.#rank,
    );
  }
}
