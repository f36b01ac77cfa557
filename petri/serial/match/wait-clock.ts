import { timerDelay } from '../../timer.ts';

/** One timer of a wait. */
export interface WaitTimer {
  /** Restarts the timer. */
  refresh(): void;
  /** Idempotent. */
  cancel(): void;
}

/** Clock for the time-outs of waits. */
export interface WaitClock {
  /** Calls back once, after this many milliseconds of the clock, unless cancelled. */
  start(milliseconds: number, callback: () => void): WaitTimer;
  /** Whether bytes that the guest has sent may still be in transit when a timer fires. */
  readonly behind: boolean;
  /** A duration in words. */
  describe(milliseconds: number): string;
}

/** The clock of this host. */
export const hostClock: WaitClock = {
  start(milliseconds, callback) {
    const timer = setTimeout(callback, timerDelay(milliseconds));
    return {
      refresh: () => {
        timer.refresh();
      },
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
  // After the process was busy, timers fire before pending input is read.
  behind: true,
  describe: duration,
};

export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${String(Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
