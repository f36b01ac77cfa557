import { describe, expect, it } from 'vitest';

import { NO_INTERRUPT } from '../../../cpu/index.ts';
import { Gic, VIRT_GIC } from './gic.ts';

const { distributor: GICD, redistributor: GICR } = VIRT_GIC;
const SGI_BASE = GICR + 0x1_0000;
const PPI = 27;
const SPI = 40;

/** A GIC that forwards both groups, with everything enabled in group 1. */
function started(pes = 1): { gic: Gic; write: (address: number, value: number) => void } {
  const gic = new Gic(VIRT_GIC, [...Array(pes).keys()]);
  const write = (address: number, value: number): void => {
    gic.write(address, 4, value >>> 0, 0);
  };
  write(GICD, 3);
  for (let n = 0; n < pes; n += 1) {
    write(GICR + n * 0x2_0000 + 0x14, 0);
    write(SGI_BASE + n * 0x2_0000 + 0x80, ~0);
    write(SGI_BASE + n * 0x2_0000 + 0x100, ~0);
    gic.pe(n).enableGroups(3);
  }
  write(GICD + 0x84, ~0);
  write(GICD + 0x104, ~0);
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
    expect(gic.pe(0).priority(PPI)).toBe(0xf8);
    gic.write(GICD + 0x400 + SPI, 4, 0x4030_2010, 0);
    expect([0, 1, 2, 3].map((n) => gic.pe(0).priority(SPI + n))).toEqual([0x10, 0x20, 0x30, 0x40]);
    expect(gic.read(GICD + 0x400 + SPI)).toBe(0x4030_2010);
    gic.write(GICD + 0x400 + SPI, 2, 0xffff, 0);
    expect(gic.pe(0).priority(SPI)).toBe(0x10);
  });

  it('forwards what has the highest priority, then the lowest INTID', () => {
    const { gic, write } = started();
    write(GICD + 0x204, (1 << 8) | (1 << 9));
    expect(gic.pe(0).highest(2)).toBe(SPI);
    gic.write(GICD + 0x400 + SPI, 1, 0x80, 0);
    expect(gic.pe(0).highest(2)).toBe(SPI + 1);
    expect(gic.pe(0).highest(1)).toBe(NO_INTERRUPT);
    gic.write(GICD + 0x6000 + 8 * (SPI + 1), 8, 1, 0);
    expect(gic.pe(0).highest(2)).toBe(SPI);
    write(GICD, 1);
    expect(gic.pe(0).highest(2)).toBe(NO_INTERRUPT);
    write(GICD, 2);
    write(GICR + 0x14, 2);
    expect(gic.pe(0).highest(2)).toBe(NO_INTERRUPT);
  });

  it('has a level pending while it is high, and an edge until it is acknowledged', () => {
    const { gic, write } = started();
    const routing = gic.pe(0);
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
    gic.pe(0).onChange = () => (changes += 1);
    write(GICD + 0x204, 1);
    gic.pe(0).setLevel(PPI, true);
    gic.pe(0).setLevel(PPI, true);
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
    for (const intid of [0, 1023, 5000, 0xff_ffff]) gic.pe(0).deactivate(intid);
  });

  it('has a redistributor for each PE, one after the other', () => {
    const affinities = [0, 1, 0x100, 0x1_0001_0000];
    const gic = new Gic(VIRT_GIC, affinities);
    const typers = affinities.map((_, n) => [gic.read(GICR + n * 0x2_0000 + 8), gic.read(GICR + n * 0x2_0000 + 12)]);
    expect(typers).toEqual([
      [0, 0],
      [0x100, 1],
      [0x200, 0x100],
      [0x310, 0x0101_0000],
    ]);
    expect(gic.contains(GICR + 0x7_ffff)).toBe(true);
    expect(gic.contains(GICR + 0x8_0000)).toBe(false);
    expect(() => gic.pe(4)).toThrow(RangeError);
  });

  it('keeps SGIs and PPIs of PEs apart', () => {
    const { gic, write } = started(2);
    write(SGI_BASE + 0x2_0180, ~0);
    gic.write(SGI_BASE + 0x2_0400 + PPI, 1, 0x40, 0);
    for (const n of [0, 1]) gic.pe(n).setLevel(PPI, true);
    expect([0, 1].map((n) => gic.pe(n).highest(2))).toEqual([PPI, NO_INTERRUPT]);
    expect([0, 1].map((n) => gic.pe(n).priority(PPI))).toEqual([0, 0x40]);
  });

  it('routes an SPI by affinity, or to the first PE that can take it', () => {
    const { gic, write } = started(3);
    const taken = (): number[] =>
      [0, 1, 2].map((n) => gic.pe(n).highest(2)).flatMap((id, n) => (id === SPI ? [n] : []));
    gic.spi(SPI - 32).set(true);
    expect(taken()).toEqual([0]);
    write(GICD + 0x6000 + 8 * SPI, 2);
    expect(taken()).toEqual([2]);
    write(GICD + 0x6000 + 8 * SPI, 3);
    expect(taken()).toEqual([]);
    write(GICD + 0x6000 + 8 * SPI, 0x8000_0000);
    expect(gic.read(GICD + 0x6000 + 8 * SPI)).toBe(0x8000_0000);
    expect(taken()).toEqual([0]);
    gic.pe(0).enableGroups(1);
    expect(taken()).toEqual([1]);
    write(GICR + 0x2_0014, 2);
    expect(taken()).toEqual([2]);
    let changes = 0;
    gic.pe(1).onChange = () => (changes += 1);
    gic.pe(2).enableGroups(0);
    expect(changes).toBeGreaterThan(0);
    expect(taken()).toEqual([]);
  });

  it('sends an SGI to PEs that have it in its group', () => {
    const { gic, write } = started(4);
    write(SGI_BASE + 3 * 0x2_0000 + 0x80, 0);
    gic.pe(1).generate(5, 1, 'others');
    gic.pe(1).generate(6, 1, 1);
    gic.pe(1).generate(7, 1, 9);
    expect([0, 1, 2, 3].map((n) => gic.pe(n).highest(3))).toEqual([5, 6, 5, NO_INTERRUPT]);
    gic.pe(0).generate(4, 0, 'others');
    expect([0, 1, 2, 3].map((n) => gic.pe(n).highest(3))).toEqual([5, 6, 5, 4]);
  });

  it('goes on from saved state', () => {
    const { gic, write } = started(2);
    write(GICD + 0x6000 + 8 * SPI, 1);
    gic.write(GICD + 0x400 + SPI, 1, 0x40, 0);
    gic.spi(SPI - 32).set(true);
    gic.pe(0).setLevel(PPI, true);
    gic.pe(0).acknowledge(PPI);
    const state = structuredClone(gic.save());
    const other = new Gic(VIRT_GIC, [0, 1]);
    other.restore(state);
    expect(other.save()).toEqual(state);
    expect(other.pe(1).highest(2)).toBe(SPI);
    expect(other.pe(0).highest(2)).toBe(NO_INTERRUPT);
    other.pe(0).deactivate(PPI);
    expect(other.pe(0).highest(2)).toBe(PPI);
    expect(gic.save()).toEqual(state);
  });
});
