import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Lets others go on for a while, so that what comes next finds them at a moment that nobody chose. Only for tests of
 * which each moment must give the same result; where something has to have happened first, wait for that.
 *
 * @param random from 0 to 1
 * @param within milliseconds
 */
export async function randomMoment(random: number, within: number): Promise<void> {
  await sleep(random * within);
}
