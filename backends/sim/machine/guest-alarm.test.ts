import { expect, it } from 'vitest';

import { Clock } from '../cpu/index.ts';
import { GuestAlarm } from './guest-alarm.ts';
import { pass } from './testing/device-bench.ts';

function made(clock: Clock) {
  const rung: number[] = [];
  return { rung, alarm: new GuestAlarm(clock, () => rung.push(clock.now)) };
}

it('rings once, at the last deadline that was set', () => {
  const clock = new Clock();
  const { rung, alarm } = made(clock);
  alarm.set(10);
  alarm.set(20);
  expect(alarm.at).toBe(20);
  pass(clock, 100);
  expect([rung, alarm.at]).toEqual([[20], undefined]);
  alarm.set(200);
  alarm.set(undefined);
  pass(clock, 1000);
  expect(rung).toEqual([20]);
});

it('never rings beyond what a clock can hold, and does not keep a clock from other alarms', () => {
  const clock = new Clock();
  const { alarm } = made(clock);
  for (const at of [Infinity, 2 ** 64 * 10]) {
    alarm.set(at);
    expect([alarm.at, clock.next]).toEqual([undefined, Infinity]);
  }
});

it('rings after those of devices that were made before, also when they are set in another order', () => {
  const clock = new Clock();
  const order: string[] = [];
  const alarms = ['a', 'b', 'c'].map((name) => new GuestAlarm(clock, () => order.push(name)));
  for (const alarm of alarms.toReversed()) alarm.set(5);
  pass(clock, 5);
  expect(order).toEqual(['a', 'b', 'c']);
});
