import { expect, it } from 'vitest';

import { GuestTimers, WORK_PER_MILLISECOND } from './guest-timers.ts';

function timersAt(start: number): { timers: GuestTimers; fired: string[]; runTo: (work: number) => void } {
  let work = start;
  const timers = new GuestTimers(() => work);
  const fired: string[] = [];
  return {
    timers,
    fired,
    runTo: (to) => {
      work = to;
      timers.fire();
    },
  };
}

it('counts the guest’s work', () => {
  const { timers, fired, runTo } = timersAt(1000);
  timers.start(2, () => fired.push('two'));
  timers.start(1, () => fired.push('one'));
  expect(timers.left).toBe(WORK_PER_MILLISECOND);
  runTo(999 + WORK_PER_MILLISECOND);
  expect(fired).toEqual([]);
  runTo(1000 + WORK_PER_MILLISECOND);
  expect(fired).toEqual(['one']);
  expect(timers.left).toBe(WORK_PER_MILLISECOND);
  runTo(1000 + 2 * WORK_PER_MILLISECOND);
  expect(fired).toEqual(['one', 'two']);
  expect(timers.left).toBe(Number.POSITIVE_INFINITY);
});

it('restarts a timer, even one that has fired, and drops one that was cancelled', () => {
  const { timers, fired, runTo } = timersAt(0);
  const timer = timers.start(1, () => fired.push('it'));
  runTo(WORK_PER_MILLISECOND - 1);
  timer.refresh();
  runTo(WORK_PER_MILLISECOND);
  expect(fired).toEqual([]);
  runTo(2 * WORK_PER_MILLISECOND);
  timer.refresh();
  runTo(3 * WORK_PER_MILLISECOND);
  expect(fired).toEqual(['it', 'it']);
  timer.refresh();
  timer.cancel();
  runTo(9 * WORK_PER_MILLISECOND);
  expect(fired).toHaveLength(2);
});

it('counts from zero after a reset', () => {
  const { timers, fired, runTo } = timersAt(5 * WORK_PER_MILLISECOND);
  timers.start(2, () => fired.push('it'));
  timers.restart();
  runTo(WORK_PER_MILLISECOND);
  expect(fired).toEqual([]);
  runTo(2 * WORK_PER_MILLISECOND);
  expect(fired).toEqual(['it']);
});
