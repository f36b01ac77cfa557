import type { Alarm, Clock } from '../clock.ts';
import type { TimerKind } from './generic-timer.ts';
import { type InterruptRouting, TimerInterrupt } from '../gic/interrupt-routing.ts';

/** The timers of a context, as their lines see them. */
interface Timers {
  readonly el2: object | undefined;
  deadlineOf(timer: TimerKind): number;
}

const timers = [
  ['virtual', TimerInterrupt.Virtual],
  ['physical', TimerInterrupt.Physical],
] as const;
const timersOfEl2 = [
  ...timers,
  ['hypervisor-physical', TimerInterrupt.HypervisorPhysical],
  ['hypervisor-virtual', TimerInterrupt.HypervisorVirtual],
] as const;

/** The outputs of the timers of a PE: levels that rise at alarms and fall when a timer is written. */
export class TimerLines {
  readonly #timers: () => Timers | undefined;
  readonly #clock: Clock;
  readonly #routing: InterruptRouting;
  #alarms: readonly Alarm[] = [];

  /** @param of the timers of the active context, if there is one */
  constructor(of: () => Timers | undefined, clock: Clock, routing: InterruptRouting) {
    this.#timers = of;
    this.#clock = clock;
    this.#routing = routing;
  }

  /** Sets the levels of the moment, and alarms for when they rise. */
  update(): void {
    for (const alarm of this.#alarms) this.#clock.cancel(alarm);
    const of = this.#timers();
    const alarms: Alarm[] = [];
    for (const [timer, intid] of of?.el2 === undefined ? timers : timersOfEl2) {
      const deadline = of?.deadlineOf(timer) ?? Infinity;
      this.#routing.setLevel(intid, deadline <= this.#clock.now);
      if (deadline <= this.#clock.now || deadline === Infinity) continue;
      alarms.push(
        this.#clock.setAlarm(deadline, () => {
          this.update();
        }),
      );
    }
    this.#alarms = alarms;
  }
}
