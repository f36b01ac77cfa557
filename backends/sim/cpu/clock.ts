/** Something to be done at a time of the guest. */
export interface Alarm {
  /** Guest time in nanoseconds at which it is due. */
  readonly at: number;
  readonly ring: () => void;
}

/**
 * Guest time of a machine: nanoseconds since it was made. Processors advance it, by one for each instruction that they
 * retire, and it jumps where all of them wait, so what happens at a time happens at the same instruction in every run.
 * What has to happen at a time, in a device or a timer, sets an alarm.
 */
export class Clock {
  #now = 0;
  /** The next one last. */
  readonly #alarms: Alarm[] = [];

  get now(): number {
    return this.#now;
  }

  /** When the next alarm is due; Infinity where none is set. */
  get next(): number {
    return this.#alarms.at(-1)?.at ?? Infinity;
  }

  /** @param nanoseconds a non-negative integer */
  advance(nanoseconds: number): void {
    this.#now += nanoseconds;
  }

  /** Goes on at a time, where that is not past. */
  jumpTo(time: number): void {
    if (time > this.#now) this.#now = time;
  }

  /** @param at guest time in nanoseconds, an integer; where it is past, the alarm is due at once */
  setAlarm(at: number, ring: () => void): Alarm {
    const alarm = { at, ring };
    // Behind those that are due later, before those of the same time: alarms of one time ring in the order in which
    // they were set.
    let place = this.#alarms.length;
    while (place > 0 && (this.#alarms[place - 1]?.at ?? Infinity) <= at) place -= 1;
    this.#alarms.splice(place, 0, alarm);
    return alarm;
  }

  /** Has an alarm never ring, unless it has. */
  cancel(alarm: Alarm): void {
    const place = this.#alarms.indexOf(alarm);
    if (place >= 0) this.#alarms.splice(place, 1);
  }

  /** Rings every alarm that is due. To be called where a guest may see what they do: see `VirtualCpu.run`. */
  ring(): void {
    // Not those that are set meanwhile, or one that sets itself again would never let the guest go on.
    const due = this.#alarms.filter(({ at }) => at <= this.#now).reverse();
    for (const alarm of due) {
      const before = this.#alarms.length;
      this.cancel(alarm);
      if (this.#alarms.length < before) alarm.ring();
    }
  }

  /** Back to the time at which the machine was made, without alarms. */
  reset(): void {
    this.#now = 0;
    this.#alarms.length = 0;
  }
}
