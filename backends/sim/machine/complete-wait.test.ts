import { expect, it } from 'vitest';

import { Clock } from '../cpu/index.ts';
import { completeWait } from './complete-wait.ts';

const vcpu = (waiting: 'wfi' | 'wfe', timerDeadline: number) => ({ waiting, timerDeadline });

it('has time go on to whatever comes first', () => {
  const clock = new Clock();
  clock.setAlarm(700, () => undefined);
  completeWait(clock, vcpu('wfi', 500));
  expect(clock.now).toBe(500);
  completeWait(clock, vcpu('wfi', Infinity));
  expect(clock.now).toBe(700);
  completeWait(clock, vcpu('wfi', 600));
  expect(clock.now).toBe(700);
});

it('completes at once where nothing will come, or an event may have', () => {
  const clock = new Clock();
  completeWait(clock, vcpu('wfi', Infinity));
  clock.setAlarm(100, () => undefined);
  completeWait(clock, vcpu('wfe', 50));
  expect(clock.now).toBe(0);
});
