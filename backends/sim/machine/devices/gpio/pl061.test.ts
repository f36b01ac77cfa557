import { describe, expect, it } from 'vitest';

import { Clock } from '../../../cpu/index.ts';
import { expectAnyAccess, expectRestored, pass, TestLine, words } from '../../testing/device-bench.ts';
import { Pl061 } from './pl061.ts';

const DIR = 0x400;
const IS = 0x404;
const IBE = 0x408;
const IEV = 0x40c;
const IE = 0x410;
const RIS = 0x414;
const IC = 0x41c;
const data = (mask: number): number => mask << 2;

function made() {
  const clock = new Clock();
  const interrupt = new TestLine();
  const device = new Pl061({ clock, interrupt });
  return { clock, interrupt, device, ...words(device) };
}

describe('Pl061', () => {
  it('reads and writes the lines that the address selects', () => {
    const { device, read, write } = made();
    write(DIR, 0x0f);
    write(data(0x05), 0xff);
    device.setInput(7, true);
    device.setInput(1, true);
    expect([read(data(0xff)), read(data(0x84)), read(data(0x02))]).toEqual([0x85, 0x84, 0]);
    expect([read(0xfe0), read(0xfe4)]).toEqual([0x61, 0x10]);
  });

  it('interrupts by edges and by levels', () => {
    const { device, interrupt, read, write } = made();
    write(IE, 7);
    write(IEV, 1);
    write(IBE, 4);
    device.setInput(0, true);
    device.setInput(1, true);
    expect(read(RIS)).toBe(1);
    device.setInput(1, false);
    device.setInput(2, true);
    expect([read(RIS), interrupt.level]).toEqual([7, true]);
    write(IC, 7);
    expect([read(RIS), interrupt.level]).toEqual([0, false]);
    write(IS, 1);
    write(IC, 1);
    expect(interrupt.level).toBe(true);
    device.setInput(0, false);
    expect(interrupt.level).toBe(false);
  });

  it('has a button pressed for a while, across saved state', () => {
    const first = made();
    for (const register of [IEV, IE]) first.write(register, 8);
    first.device.pulse(3, 1000);
    expect(first.interrupt.level).toBe(true);
    const second = made();
    expectRestored(first.device, second.device);
    expect([second.interrupt.level, second.read(data(8))]).toEqual([true, 8]);
    pass(second.clock, 1000);
    expect(second.read(data(8))).toBe(0);
  });

  it('takes any access', () => {
    expectAnyAccess(made().device, 0x1000);
  });
});
