import { describe, expect, it } from 'vitest';

import { Bus, type UnknownAccess } from './bus.ts';
import { type AccessBytes, WordRegisters } from './device.ts';

class Words extends WordRegisters {
  readonly words = new Map<number, number>();
  protected readWord(offset: number): number {
    return this.words.get(offset) ?? 0;
  }
  protected writeWord(offset: number, value: number): void {
    this.words.set(offset, value);
  }
}

describe('Bus', () => {
  it('gives each device the accesses to its window, by offset', () => {
    const bus = new Bus();
    const devices = [0x3000, 0x1000, 0x1200, 0x1_0000_0000].map((base) => {
      const device = new Words();
      bus.attach({ base, bytes: 0x200 }, device);
      return device;
    });
    for (const [index, base] of [0x3000, 0x1000, 0x1200, 0x1_0000_0000].entries()) {
      bus.write(base + 0x1fc, 4, index + 1, 0);
      expect(bus.read(base + 0x1fc, 4)).toBe(index + 1);
    }
    expect(devices.map(({ words }) => [...words])).toEqual([1, 2, 3, 4].map((value) => [[0x1fc, value]]));
    const addresses = [0xfff, 0x1000, 0x13ff, 0x1400, 0x3200, 0x1_0000_01ff];
    expect(addresses.map((address) => bus.contains(address))).toEqual([false, true, true, false, false, true]);
  });

  it('refuses a second device in a window', () => {
    const bus = new Bus();
    bus.attach({ base: 0x1000, bytes: 0x1000 }, new Words());
    for (const base of [0x1000, 0x1ffc, 0xf00]) {
      expect(() => {
        bus.attach({ base, bytes: 0x200 }, new Words());
      }).toThrow('another device');
    }
    bus.attach({ base: 0x2000, bytes: 4 }, new Words());
    bus.attach({ base: 0xf00, bytes: 0x100 }, new Words());
  });

  it('reads as the map says where no device is, and reports each page once for reads and writes', () => {
    const seen: UnknownAccess[] = [];
    const bus = new Bus({ unknown: 0xffff_ffff, onUnknown: (access) => seen.push(access) });
    bus.attach({ base: 0x1000, bytes: 0x100 }, new Words());
    expect(bus.read(0x1100, 4)).toBe(0xffff_ffff);
    bus.read(0x1ff0, 1);
    bus.write(0x1200, 8, 1, 2);
    bus.write(0x1300, 8, 1, 2);
    expect(bus.read(0x2000, 2)).toBe(0xffff_ffff);
    expect(seen).toEqual([
      { address: 0x1100, bytes: 4, write: false },
      { address: 0x1200, bytes: 8, write: true },
      { address: 0x2000, bytes: 2, write: false },
    ]);
    expect(new Bus().read(0x1000, 4)).toBe(0);
  });

  it('treats a misaligned access as one to no device', () => {
    const bus = new Bus({ unknown: 0xffff_ffff });
    const device = new Words();
    bus.attach({ base: 0x1000, bytes: 0x100 }, device);
    bus.write(0x1002, 4, 1, 0);
    expect(device.words.size).toBe(0);
    expect(bus.read(0x1001, 2)).toBe(0xffff_ffff);
  });
});

describe('WordRegisters', () => {
  it('takes accesses of 1, 2, 4 and 8 bytes', () => {
    const device = new Words();
    device.write(0, 8, 0x4433_2211, -1);
    expect([...device.words]).toEqual([
      [0, 0x4433_2211],
      [4, 0xffff_ffff],
    ]);
    const bytes = [0, 1, 2, 3].map((offset) => device.read(offset) & 0xff);
    expect(bytes).toEqual([0x11, 0x22, 0x33, 0x44]);
    for (const size of [1, 2] satisfies AccessBytes[]) device.write(2, size, 0x77, 0);
    expect(device.words.get(0)).toBe(0x4433_2211);
    device.write(4, 1, 0x77, 0);
    expect(device.words.get(4)).toBe(0x77);
  });
});
