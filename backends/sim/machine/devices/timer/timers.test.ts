import { describe, expect, it } from 'vitest';

import { Clock, COUNTER_FREQUENCY } from '../../../cpu/index.ts';
import { expectAnyAccess, expectRestored, pass, TestLine, words } from '../../testing/device-bench.ts';
import { MemoryMappedTimer } from './memory-mapped-timer.ts';
import { Sp804 } from './sp804.ts';

const MICROSECOND = 1000;

describe('Sp804', () => {
  const made = () => {
    const clock = new Clock();
    const interrupt = new TestLine();
    const device = new Sp804({ clock, interrupt });
    return { clock, interrupt, device, ...words(device) };
  };
  const [LOAD, VALUE, CONTROL, INTCLR, RIS] = [0x0, 0x4, 0x8, 0xc, 0x10] as const;

  it('counts microseconds down, periodically, and interrupts each time', () => {
    const { clock, interrupt, read, write } = made();
    write(LOAD, 100);
    write(CONTROL, 0xe2);
    pass(clock, 30 * MICROSECOND);
    expect([read(VALUE), interrupt.level]).toEqual([70, false]);
    pass(clock, 70 * MICROSECOND);
    expect([read(VALUE), read(RIS), interrupt.level]).toEqual([100, 1, true]);
    write(INTCLR, 1);
    expect(interrupt.level).toBe(false);
    pass(clock, 100 * MICROSECOND);
    expect(interrupt.level).toBe(true);
  });

  it('stops at zero in one-shot mode, prescales, and has a second timer', () => {
    const { clock, interrupt, read, write } = made();
    write(0x20 + LOAD, 10);
    write(0x20 + CONTROL, 0xa7);
    pass(clock, 159 * MICROSECOND);
    expect(interrupt.level).toBe(false);
    pass(clock, MICROSECOND);
    expect([interrupt.level, read(0x20 + VALUE), read(RIS), read(0x20 + RIS)]).toEqual([true, 0, 0, 1]);
    write(0x20 + INTCLR, 1);
    pass(clock, 10_000 * MICROSECOND);
    expect(interrupt.level).toBe(false);
  });

  it('runs free in the 16 bits that it has after reset', () => {
    const { clock, read, write } = made();
    write(LOAD, 0xabc_0005);
    write(CONTROL, 0x80);
    pass(clock, 6 * MICROSECOND);
    expect(read(VALUE)).toBe(0xfffe);
  });

  it('continues from saved state', () => {
    const first = made();
    first.write(LOAD, 50);
    first.write(CONTROL, 0xe2);
    pass(first.clock, 20 * MICROSECOND);
    const second = made();
    pass(second.clock, 20 * MICROSECOND);
    expectRestored(first.device, second.device);
    pass(second.clock, 29 * MICROSECOND);
    expect([second.read(VALUE), second.interrupt.level]).toEqual([1, false]);
    pass(second.clock, MICROSECOND);
    expect(second.interrupt.level).toBe(true);
  });

  it('takes any access, and time goes on', () => {
    const { clock, device } = made();
    expectAnyAccess(device, 0x1000);
    pass(clock, 100 * MICROSECOND);
  });
});

describe('MemoryMappedTimer', () => {
  const made = () => {
    const clock = new Clock();
    const interrupts = [new TestLine(), new TestLine()];
    const device = new MemoryMappedTimer({ clock, interrupts });
    const [, second] = device.bases;
    if (second === undefined) throw new Error('there are two frames');
    return { clock, interrupts, device, second: words(second) };
  };
  const hertz = Number(COUNTER_FREQUENCY);
  const tick = 1e9 / hertz;

  it('shows the counter of the processors in all its frames', () => {
    const { clock, device, second } = made();
    pass(clock, 2 ** 33 * tick + 5 * tick);
    const frames = [
      [words(device.controlBase), 8],
      [words(device.readBase), 0],
      [second, 0],
      [second, 8],
    ] as const;
    for (const [{ read }, offset] of frames) expect([read(offset), read(offset + 4)]).toEqual([5, 2]);
    expect([words(device.controlBase).read(0x20), words(device.ctlBase).read(0), second.read(0x10)]).toEqual([
      hertz,
      hertz,
      hertz,
    ]);
  });

  it('reports its frames and keeps who may access them', () => {
    const { device } = made();
    const { read, write } = words(device.ctlBase);
    expect(read(8)).toBe(0x11);
    write(0x44, 0xff);
    write(0x40, 0x21);
    expect([read(0x40), read(0x44), read(0x48)]).toEqual([0x21, 0x3f, 0]);
  });

  it('interrupts by compare value and by timer value, in the frame that has the timer', () => {
    const { clock, interrupts, second } = made();
    second.write(0x28, 1000);
    second.write(0x2c, 1);
    pass(clock, 999 * tick);
    expect(second.read(0x28)).toBe(1);
    expect(interrupts.map(({ level }) => level)).toEqual([false, false]);
    pass(clock, tick);
    expect(interrupts.map(({ level }) => level)).toEqual([false, true]);
    expect(second.read(0x2c)).toBe(5);
    second.write(0x2c, 3);
    expect(interrupts[1]?.level).toBe(false);
    second.write(0x24, 0);
    second.write(0x20, 2000);
    second.write(0x2c, 1);
    pass(clock, 999 * tick);
    expect(interrupts[1]?.level).toBe(false);
    pass(clock, tick);
    expect(interrupts[1]?.level).toBe(true);
    second.write(0x28, 0xffff_fff0);
    expect([second.read(0x28), second.read(0x2c)]).toEqual([0xffff_fff0, 5]);
  });

  it('continues from saved state', () => {
    const first = made();
    first.second.write(0x28, 100);
    first.second.write(0x2c, 1);
    const other = made();
    pass(other.clock, 99 * tick);
    expectRestored(first.device, other.device);
    expect(other.interrupts[1]?.level).toBe(false);
    pass(other.clock, tick);
    expect(other.interrupts[1]?.level).toBe(true);
  });

  it('takes any access', () => {
    const { device } = made();
    for (const frame of [device.controlBase, device.readBase, device.ctlBase, ...device.bases]) {
      expectAnyAccess(frame, 0x1000);
    }
  });
});
