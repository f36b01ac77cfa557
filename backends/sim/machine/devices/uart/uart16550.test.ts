import { describe, expect, it } from 'vitest';

import { Clock } from '../../../cpu/index.ts';
import { expectAnyAccess, expectRestored, pass, TestLine } from '../../testing/device-bench.ts';
import { BufferedSink } from './byte-sink.ts';
import { Uart16550 } from './uart16550.ts';

const [RBR, IER, IIR, LCR, MCR, LSR, MSR] = [0, 1, 2, 3, 4, 5, 6] as const;
const count = (length: number) => Uint8Array.from({ length }, (_, n) => n);

function made(shift = 0) {
  const clock = new Clock();
  const interrupt = new TestLine();
  let written = '';
  const sink = new BufferedSink((chunk) => (written += Buffer.from(chunk).toString('latin1')));
  const device = new Uart16550({ clock, interrupt, output: sink, shift });
  const text = () => {
    sink.flush();
    return written;
  };
  const read = (number: number) => device.read(number << shift);
  const write = (number: number, value: number) => {
    device.write(number << shift, 1, value);
  };
  return { clock, interrupt, device, text, read, write };
}

describe('Uart16550', () => {
  it('transmits, and interrupts when its transmitter is empty until that was read', () => {
    const { interrupt, text, read, write } = made(2);
    write(IER, 2);
    expect([interrupt.level, read(IIR) & 15, interrupt.level]).toEqual([true, 2, false]);
    for (const char of Buffer.from('hi')) write(RBR, char);
    expect([interrupt.level, read(LSR), text()]).toEqual([true, 0x60, 'hi']);
    expect([read(IIR) & 15, read(IIR) & 15]).toEqual([2, 1]);
  });

  it('receives all that it is given, by trigger level and time-out', () => {
    const { clock, interrupt, device, read, write } = made();
    write(IIR, 0x81);
    write(IER, 1);
    device.receive(count(3));
    expect([interrupt.level, read(IIR), read(LSR) & 1]).toEqual([true, 0xcc, 1]);
    for (let n = 0; n < 3; n += 1) expect(read(RBR)).toBe(n);
    expect([interrupt.level, read(IIR), read(LSR) & 1]).toEqual([false, 0xc1, 0]);
    device.receive(count(40));
    expect(read(IIR)).toBe(0xc4);
    const got: number[] = [];
    while (device.unread > 0) {
      while ((read(LSR) & 1) !== 0) got.push(read(RBR));
      pass(clock, 100_000);
    }
    expect(got).toEqual([...count(40)]);
  });

  it('has a divisor, a scratch register and loopback, by which drivers identify it', () => {
    const { text, read, write } = made();
    write(7, 0xa5);
    write(LCR, 0x83);
    write(0, 1);
    write(1, 2);
    expect([read(0), read(1), read(7)]).toEqual([1, 2, 0xa5]);
    write(LCR, 3);
    expect(read(IER)).toBe(0);
    write(MCR, 0x1a);
    expect(read(MSR) & 0xf0).toBe(0x90);
    write(RBR, 0x55);
    expect([read(LSR) & 1, read(RBR), text()]).toEqual([1, 0x55, '']);
  });

  it('continues from saved state', () => {
    const first = made();
    first.write(IIR, 1);
    first.write(IER, 1);
    first.device.receive(count(30));
    for (let n = 0; n < 16; n += 1) first.read(RBR);
    const second = made();
    expectRestored(first.device, second.device);
    pass(second.clock, 100_000);
    expect([second.interrupt.level, second.read(RBR)]).toEqual([true, 16]);
  });

  it('takes any access', () => {
    expectAnyAccess(made().device, 0x1000);
    expectAnyAccess(made(2).device, 0x1000);
  });
});
