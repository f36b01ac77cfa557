import { timerDelay } from '../timer.ts';
import type { BackendPace, IsolationType } from '../contract/index.ts';

/** The pace of VMs of one isolation type. */
export function paceOf(
  pace: BackendPace | undefined,
  isolation: IsolationType,
): Pick<BackendPace, 'boot' | 'factor'> | undefined {
  return pace?.isolation?.[isolation] ?? pace;
}

/**
 * A time-out that was given with the simulated realm in mind, in milliseconds, as it is for a backend of another pace.
 */
export function stretched(timeout: number, pace: Pick<BackendPace, 'boot' | 'factor'> | undefined): number {
  return timerDelay(pace === undefined || timeout <= 0 ? timeout : pace.boot + timeout * pace.factor);
}
