import { expect, it } from 'vitest';

import { Clock } from '../cpu/index.ts';
import { completeWait } from './complete-wait.ts';

const vcpu = (waiting: 'wfi' | 'wfe', timerDeadline: number, waitsUntil = Infinity) => ({
  waiting,
  waitsUntil,
  timerDeadline,
  interruptPending: false,
});

it('advances the clock to the next timer or alarm', () => {
  const clock = new Clock();
  clock.setAlarm(700, () => undefined);
  completeWait(clock, vcpu('wfi', 500));
  expect(clock.now).toBe(500);
  completeWait(clock, vcpu('wfi', Infinity));
  expect(clock.now).toBe(700);
  completeWait(clock, vcpu('wfi', 600));
  expect(clock.now).toBe(700);
});

it('advances it no further than to when WFIT gives up', () => {
  const clock = new Clock();
  completeWait(clock, vcpu('wfi', 500, 300));
  expect(clock.now).toBe(300);
});

it('completes at once for WFE, or if no timer or alarm is due', () => {
  const clock = new Clock();
  completeWait(clock, vcpu('wfi', Infinity));
  clock.setAlarm(100, () => undefined);
  completeWait(clock, vcpu('wfe', 50));
  expect(clock.now).toBe(0);
});
