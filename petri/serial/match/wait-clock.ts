/** One timer of a wait. */
export interface WaitTimer {
  /** Begins again. */
  refresh(): void;
  /** Idempotent. */
  cancel(): void;
}

/** What the times of waits are measured by. */
export interface WaitClock {
  /** Calls back once, after so many milliseconds of this clock, unless cancelled. */
  start(milliseconds: number, callback: () => void): WaitTimer;
  /** Whether bytes that the guest has sent may not have reached the console yet when a timer fires. */
  readonly behind: boolean;
  /** A stretch of time, in words. */
  describe(milliseconds: number): string;
}

/** The time of this host. */
export const hostClock: WaitClock = {
  start(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return {
      refresh: () => {
        timer.refresh();
      },
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
  // After a busy spell a timer fires before what has arrived meanwhile is read.
  behind: true,
  describe: duration,
};

export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${String(Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
