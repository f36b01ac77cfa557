import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { stretched } from './run/index.ts';
import { hostClock } from './serial/index.ts';
import { timeoutSignal, timerDelay } from './timer.ts';

/** 25 days, and for ever. */
const LONG = [25 * 24 * 3600 * 1000, Infinity];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a time that no timer can hold', () => {
  it.each(LONG)('is not over at once: %s ms', (milliseconds) => {
    const fired = vi.fn();
    hostClock.start(milliseconds, fired);
    vi.advanceTimersByTime(24 * 3600 * 1000);
    expect(fired).not.toHaveBeenCalled();
  });

  it.each(LONG)('becomes the longest that one can: %s ms', (milliseconds) => {
    expect(timerDelay(milliseconds)).toBe(2 ** 31 - 1);
    expect(stretched(milliseconds, undefined)).toBe(2 ** 31 - 1);
    expect(stretched(milliseconds, { boot: 1000, factor: 30 })).toBe(2 ** 31 - 1);
  });

  it.each([...LONG, 1.5])('makes a signal that is not aborted: %s ms', (milliseconds) => {
    expect(timeoutSignal(milliseconds).aborted).toBe(false);
  });
});

it('is kept as it is where a timer can hold it', () => {
  expect([0, 1.5, 60_000].map(timerDelay)).toEqual([0, 1.5, 60_000]);
});
