import { describe, expect, it } from 'vitest';

import { Clock } from '../../../cpu/index.ts';
import { expectAnyAccess, expectRestored, pass, words } from '../../testing/device-bench.ts';
import { EmptyEcam } from '../pcie/empty-ecam.ts';
import { PowerController } from './power-controller.ts';
import { Sp810 } from './sp810.ts';
import { VexpressSysreg } from './sysreg.ts';

describe('VexpressSysreg', () => {
  const made = () => {
    const clock = new Clock();
    const events: string[] = [];
    const device = new VexpressSysreg({
      clock,
      shutdown: () => events.push('shutdown'),
      reset: () => events.push('reset'),
    });
    return { clock, events, device, ...words(device) };
  };

  it('says that it is a Base RevC model, and counts', () => {
    const { clock, read } = made();
    const id = read(0);
    expect([id >>> 28, (id >>> 16) & 0xfff, (id >>> 12) & 15, (id >>> 8) & 15]).toEqual([2, 0x20, 1, 1]);
    pass(clock, 1_000_000_000);
    expect([read(0x24), read(0x5c)]).toEqual([100, 24_000_000]);
  });

  it('sets and clears flags', () => {
    const { read, write } = made();
    write(0x30, 0xff);
    write(0x34, 0x0f);
    write(0x38, 0x8000_0000);
    expect([read(0x30), read(0x38)]).toEqual([0xf0, 0x8000_0000]);
  });

  it('shuts down, reboots, and fails other functions', () => {
    const { events, read, write } = made();
    write(0xa4, 0xc000_0000 | (8 << 20));
    write(0xa4, 0xc000_0000 | (9 << 20));
    expect([events, read(0xa8)]).toEqual([['shutdown', 'reset'], 1]);
    write(0xa8, 0);
    write(0xa4, 0x4000_0000 | (8 << 20));
    expect([events.length, read(0xa8)]).toEqual([2, 0]);
    write(0xa4, 0x8000_0000 | (1 << 20));
    expect([events.length, read(0xa8)]).toEqual([2, 3]);
  });

  it('continues from saved state, and takes any access', () => {
    const [first, second] = [made(), made()];
    expectAnyAccess(first.device, 0x1000);
    expectRestored(first.device, second.device);
    expect(second.read(0x30)).toBe(first.read(0x30));
  });
});

describe('PowerController', () => {
  const made = () => {
    const powered = new Map([
      [0, true],
      [0x100, false],
    ]);
    const device = new PowerController({
      isOn: (affinity) => powered.get(affinity),
      powerOn: (affinity) => powered.set(affinity, true),
      powerOff: (affinity) => powered.set(affinity, false),
    });
    return { device, ...words(device) };
  };
  const [PPOFFR, PPONR, PWKUPR, PSYSR] = [0, 4, 0xc, 0x10] as const;

  it('reports, starts and stops processors', () => {
    const { read, write } = made();
    write(PSYSR, 0x100);
    expect(read(PSYSR)).toBe(0xc000_0000);
    write(PPONR, 0x100);
    expect(read(PSYSR)).toBe(0xe000_0000);
    write(PWKUPR, 0x8000_0100);
    write(PPOFFR, 0x100);
    expect(read(PSYSR)).toBe(0xd000_0000);
    write(PSYSR, 0x200);
    expect(read(PSYSR)).toBe(0);
  });

  it('continues from saved state, and takes any access', () => {
    const [first, second] = [made(), made()];
    expectAnyAccess(first.device, 0x1000);
    expectRestored(first.device, second.device);
  });
});

describe('Sp810', () => {
  it('is a PrimeCell that keeps its control register', () => {
    const [first, second] = [new Sp810(), new Sp810()];
    const { read, write } = words(first);
    expect([read(0xfe0), read(0xfe4)]).toEqual([0x10, 0x18]);
    write(0, 0x0015_8007);
    expectRestored(first, second);
    expect(words(second).read(0)).toBe(0x0015_8007);
  });
});

describe('EmptyEcam', () => {
  it('has no function, whoever looks', () => {
    const device = new EmptyEcam();
    expectAnyAccess(device, 0x1000);
    expect(words(device).read(0)).toBe(0xffff_ffff);
  });
});
