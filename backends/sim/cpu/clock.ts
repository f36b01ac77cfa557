/** A callback at a point in guest time. */
export interface Alarm {
  /** Guest time in nanoseconds at which it is due. */
  readonly at: number;
  /** Of alarms that are due at the same time, the one with the lower rank rings first. */
  readonly rank: number;
  readonly ring: () => void;
}

/**
 * Guest time of a machine: nanoseconds since its creation. A processor advances it by one for each instruction that it
 * retires, and it jumps when all processors wait, so events happen at the same instruction in every run. Devices and
 * timers set alarms for what they do at a given time.
 */
export class Clock {
  #now = 0;
  /** Sorted: the next one is last. */
  readonly #alarms: Alarm[] = [];
  #ranks = 0;

  get now(): number {
    return this.#now;
  }

  /** When the next alarm is due; Infinity if none is set. */
  get next(): number {
    return this.#alarms.at(-1)?.at ?? Infinity;
  }

  /** @param nanoseconds a non-negative integer */
  advance(nanoseconds: number): void {
    this.#now += nanoseconds;
  }

  /** Advances to a time; does nothing if that has passed. */
  jumpTo(time: number): void {
    if (time > this.#now) this.#now = time;
  }

  /**
   * A rank of its own for the alarms of a device, after all before: devices that were made in the same order then ring
   * in the same order, also those whose alarms were set again from a snapshot.
   */
  newRank(): number {
    this.#ranks += 1;
    return this.#ranks;
  }

  /**
   * @param at guest time in nanoseconds, an integer; the alarm is due at once if it has passed
   * @param rank of `newRank`
   */
  setAlarm(at: number, ring: () => void, rank = 0): Alarm {
    const alarm = { at, rank, ring };
    // Alarms with equal times and ranks ring in the order in which they were set.
    let place = this.#alarms.length;
    while (place > 0 && !ringsBefore(alarm, this.#alarms[place - 1])) place -= 1;
    this.#alarms.splice(place, 0, alarm);
    return alarm;
  }

  /** Removes an alarm; does nothing if it has rung. */
  cancel(alarm: Alarm): void {
    const place = this.#alarms.indexOf(alarm);
    if (place >= 0) this.#alarms.splice(place, 1);
  }

  /** Rings every alarm that is due. Call it only at points that are the same in every run: see `VirtualCpu.run`. */
  ring(): void {
    // Alarms set meanwhile are left out: one that sets itself again would never let the guest continue.
    const due = this.#alarms.filter(({ at }) => at <= this.#now).reverse();
    for (const alarm of due) {
      const before = this.#alarms.length;
      this.cancel(alarm);
      if (this.#alarms.length < before) alarm.ring();
    }
  }

  /** Sets the time to one that was saved. Alarms are of those who set them, who set them anew. */
  restore(now: number): void {
    this.#now = now;
  }

  /** Returns to time zero, without alarms. */
  reset(): void {
    this.#now = 0;
    this.#ranks = 0;
    this.#alarms.length = 0;
  }
}

/** Whether an alarm that is set now rings before another. */
function ringsBefore({ at, rank }: Alarm, other: Alarm | undefined): boolean {
  return other === undefined || at < other.at || (at === other.at && rank < other.rank);
}
