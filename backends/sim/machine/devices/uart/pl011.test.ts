import { describe, expect, it } from 'vitest';

import { Clock } from '../../../cpu/index.ts';
import { expectAnyAccess } from '../../testing/device-bench.ts';
import { BufferedSink } from './byte-sink.ts';
import { Pl011 } from './pl011.ts';

const DR = 0x0;
const FR = 0x18;
const LCR_H = 0x2c;
const CR = 0x30;
const IFLS = 0x34;
const IMSC = 0x38;
const RIS = 0x3c;
const MIS = 0x40;
const ICR = 0x44;
const RXFE = 0x10;
const RXFF = 0x40;
const RX = 0x10;
const TX = 0x20;
const RT = 0x40;

function made() {
  const clock = new Clock();
  const chunks: Uint8Array[] = [];
  const sink = new BufferedSink((chunk) => chunks.push(chunk));
  const line = { level: false };
  const set = (level: boolean) => (line.level = level);
  const uart = new Pl011({ clock, interrupt: { set }, output: sink });
  const write = (offset: number, value: number) => {
    uart.write(offset, 4, value, 0);
  };
  const read = (offset: number) => uart.read(offset);
  /** Reads what there is, as a driver does, with time passing. */
  const drain = () => {
    const got: number[] = [];
    for (;;) {
      while ((read(FR) & RXFE) === 0) got.push(read(DR));
      if (!Number.isFinite(clock.next)) return got;
      clock.jumpTo(clock.next);
      clock.ring();
    }
  };
  return { clock, chunks, sink, line, uart, write, read, drain };
}

function enabled() {
  const all = made();
  all.write(LCR_H, 0x70);
  all.write(CR, 0x301);
  return all;
}

const count = (length: number) => Uint8Array.from({ length }, (_, n) => n);

describe('Pl011', () => {
  it('has the registers that identify it and their reset values', () => {
    const { read } = made();
    const bytes = Array.from({ length: 8 }, (_, n) => read(0xfe0 + 4 * n));
    expect(bytes).toEqual([0x11, 0x10, 0x34, 0, 0x0d, 0xf0, 0x05, 0xb1]);
    expect([read(CR), read(IFLS), read(IMSC), read(RIS), read(LCR_H)]).toEqual([0x300, 0x12, 0, 0, 0]);
    expect(read(FR) & 0xf8).toBe(0x90);
  });

  it('transmits at once and in chunks, and interrupts until that is cleared', () => {
    const { write, read, line, sink, chunks } = enabled();
    write(IMSC, TX);
    expect(line.level).toBe(false);
    for (const char of Buffer.from('hello')) write(DR, char);
    expect([line.level, read(RIS), read(MIS)]).toEqual([true, TX, TX]);
    write(ICR, TX);
    expect([line.level, read(RIS)]).toEqual([false, 0]);
    expect(chunks).toEqual([]);
    sink.flush();
    sink.flush();
    expect(chunks.map(String)).toEqual([String(Uint8Array.from(Buffer.from('hello')))]);
  });

  it('keeps what it received until the guest enabled the receiver', () => {
    const { uart, write, read, drain } = made();
    uart.receive(Buffer.from('ab'));
    uart.receive(Buffer.from('c'));
    expect(read(FR) & RXFE).toBe(RXFE);
    write(CR, 0x301);
    expect(uart.unread).toBe(3);
    expect(drain()).toEqual([...Buffer.from('abc')]);
    expect(uart.unread).toBe(0);
  });

  it('has a receive FIFO of 32 bytes, and delivers all that it was given in order', () => {
    const { uart, read, drain } = enabled();
    uart.receive(count(100));
    expect(read(FR) & RXFF).toBe(RXFF);
    for (let n = 0; n < 32; n += 1) {
      expect(read(FR) & RXFE).toBe(0);
      expect(read(DR)).toBe(n);
    }
    expect(read(FR) & RXFE).toBe(RXFE);
    uart.receive(count(3));
    expect(drain()).toEqual([...count(100).subarray(32), ...count(3)]);
  });

  it('interrupts by level of the FIFO and at once for less, until the FIFO is read', () => {
    const { uart, write, read, line } = enabled();
    write(IMSC, RX | RT);
    uart.receive(count(3));
    expect([line.level, read(RIS)]).toEqual([true, RT]);
    write(ICR, RT);
    expect(line.level).toBe(true);
    for (let n = 0; n < 3; n += 1) read(DR);
    expect(line.level).toBe(false);
    uart.receive(count(16));
    expect(read(RIS)).toBe(RX | RT);
    read(DR);
    expect(read(RIS)).toBe(RT);
    write(IMSC, RX);
    expect(line.level).toBe(false);
  });

  it('loops back', () => {
    const { write, drain, sink, chunks } = enabled();
    write(CR, 0x381);
    write(DR, 0x41);
    write(DR, 0x42);
    expect(drain()).toEqual([0x41, 0x42]);
    sink.flush();
    expect(chunks).toEqual([]);
  });

  it('continues from saved state', () => {
    const first = enabled();
    first.write(IMSC, RX | RT);
    first.uart.receive(count(70));
    for (let n = 0; n < 32; n += 1) first.read(DR);
    const state = structuredClone(first.uart.save());
    const second = made();
    second.uart.restore(state);
    expect(structuredClone(second.uart.save())).toEqual(state);
    expect([second.clock.next, second.line.level]).toEqual([first.clock.next, false]);
    expect(second.drain()).toEqual(first.drain());
    expect(second.read(IMSC)).toBe(RX | RT);
  });

  it('takes any access', () => {
    const { uart, drain } = enabled();
    expectAnyAccess(uart, 0x1000);
    drain();
  });
});
