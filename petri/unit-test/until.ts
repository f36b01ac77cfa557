import { vi } from 'vitest';

import { HANGS } from './hangs.ts';

/**
 * Waits for a value that comes about outside of this process; where it can be an event, wait for the event. `undefined`
 * and `false` are no values yet. Nothing but the time-out of the test ends the wait.
 */
export async function until<T>(look: () => T | undefined | false): Promise<T> {
  return await vi.waitUntil(look, { timeout: HANGS, interval: 20 });
}
