import type { BackendPace } from '../backend.ts';

/** A time-out that was given with the simulated realm in mind, in milliseconds, as it is for a backend of another pace. */
export function stretched(timeout: number, pace: BackendPace | undefined): number {
  return pace === undefined || timeout <= 0 ? timeout : pace.boot + timeout * pace.factor;
}
