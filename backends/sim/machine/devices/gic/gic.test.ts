import { describe, expect, it } from 'vitest';

import { NO_INTERRUPT } from '../../../cpu/index.ts';
import { Gic, VIRT_GIC } from './gic.ts';

const { distributor: GICD, redistributor: GICR } = VIRT_GIC;
const SGI_BASE = GICR + 0x1_0000;
const PPI = 27;
const SPI = 40;

/** A GIC that forwards both groups, with everything enabled in group 1. */
function started(): { gic: Gic; write: (address: number, value: number) => void } {
  const gic = new Gic(VIRT_GIC);
  const write = (address: number, value: number): void => {
    gic.write(address, 4, value >>> 0, 0);
  };
  write(GICD, 3);
  write(GICR + 0x14, 0);
  for (const base of [SGI_BASE, GICD + 4]) {
    write(base + 0x80, ~0);
    write(base + 0x100, ~0);
  }
  return { gic, write };
}

describe('Gic', () => {
  it('identifies itself as a GICv3 with one PE and one Security state', () => {
    const gic = new Gic(VIRT_GIC);
    expect(gic.read(GICD)).toBe(0x50);
    expect(gic.read(GICD + 4) & 0x1f).toBe(8);
    expect([GICD, GICR].map((base) => (gic.read(base + 0xffe8) >> 4) & 15)).toEqual([3, 3]);
    expect([gic.read(GICR + 8), gic.read(GICR + 12)]).toEqual([0x10, 0]);
  });

  it('has three frames and nothing between them', () => {
    const gic = new Gic(VIRT_GIC);
    const inside = [GICD, GICD + 0xffff, GICR, SGI_BASE + 0xffff];
    expect(inside.map((address) => gic.contains(address))).toEqual([true, true, true, true]);
    const outside = [GICD - 1, GICD + 0x1_0000, GICR - 1, SGI_BASE + 0x1_0000];
    expect(outside.map((address) => gic.contains(address))).toEqual([false, false, false, false]);
  });

  it('sets and clears bits, each INTID in the frame that has it', () => {
    const { gic, write } = started();
    write(SGI_BASE + 0x180, 0xff);
    expect(gic.read(SGI_BASE + 0x100)).toBe(0xffff_ff00);
    expect(gic.read(GICD + 0x100)).toBe(0);
    expect(gic.read(SGI_BASE + 0x104)).toBe(0);
    write(GICD + 0x200, ~0);
    expect(gic.read(SGI_BASE + 0x200)).toBe(0);
    // Beyond the last INTID.
    write(GICD + 0x100 + 4 * 9, ~0);
    expect(gic.read(GICD + 0x100 + 4 * 9)).toBe(0);
  });

  it('has priorities of 5 bits, by byte and by word', () => {
    const { gic } = started();
    gic.write(SGI_BASE + 0x400 + PPI, 1, 0xff, 0);
    expect(gic.routing.priority(PPI)).toBe(0xf8);
    gic.write(GICD + 0x400 + SPI, 4, 0x4030_2010, 0);
    expect([0, 1, 2, 3].map((n) => gic.routing.priority(SPI + n))).toEqual([0x10, 0x20, 0x30, 0x40]);
    expect(gic.read(GICD + 0x400 + SPI)).toBe(0x4030_2010);
    gic.write(GICD + 0x400 + SPI, 2, 0xffff, 0);
    expect(gic.routing.priority(SPI)).toBe(0x10);
  });

  it('forwards what has the highest priority, then the lowest INTID', () => {
    const { gic, write } = started();
    write(GICD + 0x204, (1 << 8) | (1 << 9));
    expect(gic.routing.highest(2)).toBe(SPI);
    gic.write(GICD + 0x400 + SPI, 1, 0x80, 0);
    expect(gic.routing.highest(2)).toBe(SPI + 1);
    expect(gic.routing.highest(1)).toBe(NO_INTERRUPT);
    gic.write(GICD + 0x6000 + 8 * (SPI + 1), 8, 1, 0);
    expect(gic.routing.highest(2)).toBe(SPI);
    write(GICD, 1);
    expect(gic.routing.highest(2)).toBe(NO_INTERRUPT);
    write(GICD, 2);
    write(GICR + 0x14, 2);
    expect(gic.routing.highest(2)).toBe(NO_INTERRUPT);
  });

  it('has a level pending while it is high, and an edge until it is acknowledged', () => {
    const { gic, write } = started();
    const { routing } = gic;
    routing.setLevel(PPI, true);
    routing.acknowledge(PPI);
    expect(routing.highest(2)).toBe(NO_INTERRUPT);
    routing.deactivate(PPI);
    expect(routing.highest(2)).toBe(PPI);
    routing.setLevel(PPI, false);
    expect(routing.highest(2)).toBe(NO_INTERRUPT);
    write(SGI_BASE + 0xc04, 2 << (2 * (PPI - 16)));
    routing.setLevel(PPI, true);
    routing.setLevel(PPI, false);
    expect(routing.highest(2)).toBe(PPI);
    routing.acknowledge(PPI);
    routing.deactivate(PPI);
    expect(routing.highest(2)).toBe(NO_INTERRUPT);
  });

  it('reports each change to the CPU interface', () => {
    const { gic, write } = started();
    let changes = 0;
    gic.routing.onChange = () => (changes += 1);
    write(GICD + 0x204, 1);
    gic.routing.setLevel(PPI, true);
    gic.routing.setLevel(PPI, true);
    expect(changes).toBe(2);
  });

  it('takes any access', () => {
    const { gic } = started();
    for (let offset = 0; offset < 0x1_0000; offset += 1) {
      for (const base of [GICD, GICR, SGI_BASE]) {
        for (const bytes of [1, 2, 4, 8]) gic.write(base + offset, bytes, 0xffff_ffff, 0xffff_ffff);
        expect(gic.read(base + offset) >>> 0).toBe(gic.read(base + offset));
      }
    }
    for (const intid of [0, 1023, 5000, 0xff_ffff]) gic.routing.deactivate(intid);
  });
});
