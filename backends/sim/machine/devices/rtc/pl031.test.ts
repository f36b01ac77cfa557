import { describe, expect, it } from 'vitest';

import { Clock } from '../../../cpu/index.ts';
import { expectAnyAccess, expectRestored, pass, TestLine, words } from '../../testing/device-bench.ts';
import { Pl031 } from './pl031.ts';

const SECOND = 1_000_000_000;
const [DR, MR, LR, CR, IMSC, RIS, MIS, ICR] = [0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c] as const;

function made(start?: number) {
  const clock = new Clock();
  const interrupt = new TestLine();
  const device = new Pl031({ clock, interrupt, ...(start !== undefined && { start }) });
  return { clock, interrupt, device, ...words(device) };
}

describe('Pl031', () => {
  it('starts at the same time in every run and counts guest time', () => {
    const { clock, read } = made();
    expect(new Date(read(DR) * 1000).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    pass(clock, 5.5 * SECOND);
    expect(read(DR)).toBe(Date.UTC(2026, 0, 1) / 1000 + 5);
    expect([read(CR), read(0xfe0), read(0xfe4)]).toEqual([1, 0x31, 0x10]);
    expect(made(7).read(DR)).toBe(7);
  });

  it('is set, wraps, and interrupts when it matches', () => {
    const { clock, interrupt, read, write } = made();
    write(LR, 0xffff_fffe);
    write(MR, 1);
    write(IMSC, 1);
    pass(clock, 2 * SECOND);
    expect([read(DR), interrupt.level]).toEqual([0, false]);
    pass(clock, SECOND);
    expect([read(DR), read(RIS), read(MIS), interrupt.level]).toEqual([1, 1, 1, true]);
    write(ICR, 1);
    expect([read(RIS), interrupt.level]).toEqual([0, false]);
  });

  it('continues from saved state', () => {
    const first = made();
    first.write(MR, first.read(DR) + 3);
    first.write(IMSC, 1);
    pass(first.clock, SECOND);
    const second = made(0);
    pass(second.clock, SECOND);
    expectRestored(first.device, second.device);
    pass(second.clock, 1.9 * SECOND);
    expect(second.interrupt.level).toBe(false);
    pass(second.clock, 0.1 * SECOND);
    expect(second.interrupt.level).toBe(true);
  });

  it('takes any access', () => {
    expectAnyAccess(made().device, 0x1000);
  });
});
