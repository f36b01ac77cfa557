import { expect } from 'vitest';

import type { Clock } from '../../cpu/index.ts';
import type { Device, InterruptLine, Stateful } from '../device.ts';

/** An interrupt line with the level that it was driven to. */
export class TestLine implements InterruptLine {
  level = false;

  set(level: boolean): void {
    this.level = level;
  }
}

/** Lets guest time pass, with each alarm at its time. */
export function pass(clock: Clock, nanoseconds: number): void {
  const until = clock.now + nanoseconds;
  while (clock.next <= until) {
    clock.jumpTo(clock.next);
    clock.ring();
  }
  clock.jumpTo(until);
}

/** Accesses of 32 bits. */
export function words(device: Device): {
  readonly read: (offset: number) => number;
  readonly write: (offset: number, value: number) => void;
} {
  return {
    read: (offset) => device.read(offset, 4) >>> 0,
    write: (offset, value) => {
      device.write(offset, 4, value >>> 0, 0);
    },
  };
}

/** A device survives every access of every size, and what it returns is a number. */
export function expectAnyAccess(device: Device, bytes: number): void {
  const wrong: string[] = [];
  for (const value of [0, 0xffff_ffff, 0x1234_5678, 1]) {
    for (const size of [1, 2, 4, 8] as const) {
      for (let offset = 0; offset < bytes; offset += size) {
        device.write(offset, size, size < 4 ? value & ((1 << (8 * size)) - 1) : value, size === 8 ? value : 0);
        if (size !== 8 && !Number.isInteger(device.read(offset, size)))
          wrong.push(`${String(size)} at ${String(offset)}`);
      }
    }
  }
  expect(wrong).toEqual([]);
}

/** State is plain data, and a device with it is the one that it came from. */
export function expectRestored<State>(from: Stateful<State>, to: Stateful<State>): void {
  const state = structuredClone(from.save());
  to.restore(structuredClone(state));
  expect(to.save()).toEqual(state);
}
