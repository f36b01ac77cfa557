import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { nudge } from './nudge.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('asks at once, then at growing intervals, and no more when it is stopped', () => {
  const asked: number[] = [];
  let now = 0;
  const stop = nudge(() => asked.push(now));
  for (; now < 20_000; now += 250) vi.advanceTimersByTime(now === 0 ? 0 : 250);
  expect(asked).toEqual([0, 250, 750, 1750, 3750, 7750, 12_750, 17_750]);
  stop();
  stop();
  vi.advanceTimersByTime(60_000);
  expect(asked).toHaveLength(8);
});
