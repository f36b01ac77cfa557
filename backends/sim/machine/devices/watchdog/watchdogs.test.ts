import { describe, expect, it } from 'vitest';

import { Clock, COUNTER_FREQUENCY } from '../../../cpu/index.ts';
import { expectAnyAccess, expectRestored, pass, TestLine, words } from '../../testing/device-bench.ts';
import { GenericWatchdog } from './generic-watchdog.ts';
import { Sp805 } from './sp805.ts';

const SECOND = 1_000_000_000;
const SP805_HERTZ = 32_768;

function sp805() {
  const clock = new Clock();
  const interrupt = new TestLine();
  const resets: number[] = [];
  const device = new Sp805({ clock, interrupt, reset: () => resets.push(clock.now) });
  return { clock, interrupt, resets, device, ...words(device) };
}

describe('Sp805', () => {
  const [LOAD, VALUE, CONTROL, INTCLR, RIS, LOCK] = [0x0, 0x4, 0x8, 0xc, 0x10, 0xc00] as const;

  it('interrupts, and resets the machine if nobody cleared that', () => {
    const { clock, interrupt, resets, read, write } = sp805();
    write(LOAD, SP805_HERTZ);
    write(CONTROL, 3);
    pass(clock, SECOND / 2);
    expect([read(VALUE), interrupt.level]).toEqual([SP805_HERTZ / 2, false]);
    pass(clock, SECOND / 2);
    expect([interrupt.level, read(RIS), resets.length]).toEqual([true, 1, 0]);
    write(INTCLR, 1);
    expect(interrupt.level).toBe(false);
    pass(clock, SECOND);
    expect([interrupt.level, resets.length]).toEqual([true, 0]);
    pass(clock, SECOND);
    expect(resets).toEqual([3 * SECOND]);
  });

  it('does nothing while disabled, resets only if told to, and is locked against stray writes', () => {
    const { clock, interrupt, resets, read, write } = sp805();
    write(LOAD, 100);
    pass(clock, SECOND);
    expect(interrupt.level).toBe(false);
    write(CONTROL, 1);
    write(LOCK, 1);
    write(CONTROL, 0);
    expect([read(CONTROL), read(LOCK)]).toEqual([1, 1]);
    pass(clock, SECOND);
    expect([interrupt.level, resets]).toEqual([true, []]);
    write(LOCK, 0x1acc_e551);
    write(CONTROL, 0);
    expect([read(CONTROL), interrupt.level]).toEqual([0, false]);
  });

  it('continues from saved state', () => {
    const first = sp805();
    first.write(LOAD, SP805_HERTZ);
    first.write(CONTROL, 3);
    pass(first.clock, 1.5 * SECOND);
    const second = sp805();
    pass(second.clock, 1.5 * SECOND);
    expectRestored(first.device, second.device);
    expect(second.interrupt.level).toBe(true);
    pass(second.clock, SECOND / 2);
    expect(second.resets).toEqual([2 * SECOND]);
  });

  it('takes any access', () => {
    expectAnyAccess(sp805().device, 0x1000);
  });
});

function generic() {
  const clock = new Clock();
  const interrupt = new TestLine();
  const resets: number[] = [];
  const device = new GenericWatchdog({ clock, interrupt, reset: () => resets.push(clock.now) });
  return { clock, interrupt, resets, device, control: words(device.control), refresh: words(device.refresh) };
}

describe('GenericWatchdog', () => {
  const [WCS, WOR, WOR_HIGH, WCV] = [0x0, 0x8, 0xc, 0x10] as const;
  const HERTZ = Number(COUNTER_FREQUENCY);

  it('signals WS0, then WS1, unless it is refreshed', () => {
    const { clock, interrupt, resets, control, refresh } = generic();
    control.write(WOR, HERTZ);
    control.write(WCS, 1);
    for (let n = 0; n < 3; n += 1) {
      pass(clock, 0.9 * SECOND);
      refresh.write(0, 0);
    }
    expect([interrupt.level, control.read(WCS)]).toEqual([false, 1]);
    pass(clock, SECOND);
    expect([interrupt.level, control.read(WCS)]).toEqual([true, 3]);
    refresh.write(0, 0);
    expect([interrupt.level, control.read(WCS)]).toEqual([false, 1]);
    pass(clock, 2 * SECOND);
    expect(resets).toEqual([clock.now]);
    expect(control.read(WCS)).toBe(7);
  });

  it('has an offset of 48 bits and a compare value that can be written', () => {
    const { clock, interrupt, control } = generic();
    control.write(WOR_HIGH, 1);
    control.write(WOR, 5);
    control.write(WCS, 1);
    expect([control.read(WOR), control.read(WOR_HIGH), control.read(WCV), control.read(WCV + 4)]).toEqual([5, 1, 5, 1]);
    control.write(WCV + 4, 0);
    control.write(WCV, HERTZ);
    pass(clock, SECOND);
    expect(interrupt.level).toBe(true);
    expect(control.read(0xfcc)).toBe(0x1043b);
  });

  it('continues from saved state', () => {
    const first = generic();
    first.control.write(WOR, HERTZ);
    first.control.write(WCS, 1);
    pass(first.clock, 1.5 * SECOND);
    const second = generic();
    pass(second.clock, 1.5 * SECOND);
    expectRestored(first.device, second.device);
    expect(second.interrupt.level).toBe(true);
    pass(second.clock, SECOND / 2);
    expect(second.resets).toEqual([2 * SECOND]);
  });

  it('takes any access, and time goes on', () => {
    const { clock, device } = generic();
    for (const frame of [device.control, device.refresh]) expectAnyAccess(frame, 0x1000);
    pass(clock, SECOND);
  });
});
