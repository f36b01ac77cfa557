import { expect, it } from 'vitest';

import { runAloneInFreshProcess, runSchedulesInFreshProcess, SHORT } from './testing/schedules.ts';

/** Machines share most while a process is young, so there are many processes with a few schedules each. */
const PROCESSES = 10;
const SCHEDULES = 4;

it(`gives each VM of ${PROCESSES * SCHEDULES} random schedules the result that it has alone in a fresh process`, async () => {
  const alone = [];
  for (let index = 0; index < SHORT; index += 1) alone.push(await runAloneInFreshProcess(index));
  const halts = alone.map(({ halt }) => (JSON.parse(halt) as { reason: string }).reason);
  expect(new Set(halts)).toEqual(new Set(['complete', 'budget']));
  let total = 0;
  for (let first = 1; first < PROCESSES * SCHEDULES; first += SCHEDULES) {
    const { differences, ended } = await runSchedulesInFreshProcess(first, SCHEDULES, alone);
    expect(differences).toEqual([]);
    total += ended;
  }
  expect(total).toBeGreaterThan(2 * PROCESSES * SCHEDULES);
});
