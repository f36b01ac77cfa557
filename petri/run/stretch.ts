import { debuggerRequest } from '../debugging.ts';
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
 * Where a debugger is asked for there is none: the guest stands still for as long as somebody looks at it.
 *
 * @throws PetriError `invalid-option` for a wrong `$PETRI_GDB`
 */
export function stretched(timeout: number, pace: Pick<BackendPace, 'boot' | 'factor'> | undefined): number {
  if (debuggerRequest() !== undefined) return timerDelay(Infinity);
  return timerDelay(pace === undefined || timeout <= 0 ? timeout : pace.boot + timeout * pace.factor);
}
