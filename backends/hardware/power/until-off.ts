import { setTimeout as sleep } from 'node:timers/promises';

import { failed } from './failed.ts';

/** Milliseconds between two queries. */
const LOOK = 1000;

/**
 * Waits until a board is off: a BMC answers before the power has been switched.
 *
 * @throws PetriError `power-failed` after the given number of seconds
 */
export async function untilOff(name: string, seconds: number, isOff: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await isOff())) {
    if (performance.now() > end) {
      const remedy = 'look at the board, or give power.timeout more seconds';
      throw failed(name, `it is still on ${String(seconds)} s after it was to go off`, remedy);
    }
    await sleep(LOOK);
  }
}
