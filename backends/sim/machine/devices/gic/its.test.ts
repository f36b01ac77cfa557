import { describe, expect, it } from 'vitest';

import { Clock, NO_INTERRUPT } from '../../../cpu/index.ts';
import type { GuestMemory } from '../../device.ts';
import { Gic, VIRT_GIC } from './gic.ts';
import { ItsCommand } from './its-commands.ts';

const { distributor: GICD, redistributor: GICR } = VIRT_GIC;
const GITS = 0x0808_0000;
const RAM = 0x4000_0000;
const RAM_BYTES = 0x20_0000;
/** Places in RAM. */
const Place = {
  Properties: RAM,
  Pending: RAM + 0x1_0000,
  Queue: RAM + 0x8_0000,
  Devices: RAM + 0xa_0000,
  Collections: RAM + 0xb_0000,
  Itt: RAM + 0xc_0000,
} as const;
const QUEUE_BYTES = 0x1_0000;
const VALID = 2 ** 31;
const LPI = 8192;
const PES = 2;

class Board {
  readonly ram = new Uint8Array(RAM_BYTES);
  readonly clock = new Clock();
  readonly wrote: number[] = [];
  readonly gic: Gic;
  #writer = 0;

  constructor() {
    const memory: GuestMemory = {
      bytesAt: (address, length) => {
        const at = address - RAM;
        return at < 0 || at + length > RAM_BYTES ? undefined : this.ram.subarray(at, at + length);
      },
      wrote: (address) => this.wrote.push(address),
    };
    this.gic = new Gic(VIRT_GIC, [...Array(PES).keys()], { base: GITS, memory, clock: this.clock });
  }

  write(address: number, low: number, high = 0): void {
    this.gic.write(address, 8, low >>> 0, high >>> 0);
  }

  /** What an operating system sets up. All LPIs are enabled, with priority 0xa0. */
  start(): this {
    this.gic.write(GICD, 4, 3, 0);
    this.ram.fill(0xa1, 0, 0x1_0000 - LPI);
    for (let pe = 0; pe < PES; pe += 1) {
      const base = GICR + pe * 0x2_0000;
      this.write(base + 0x70, Place.Properties + 15);
      this.write(base + 0x78, Place.Pending + pe * 0x1_0000);
      this.gic.write(base, 4, 1, 0);
      this.gic.write(base + 0x14, 4, 0, 0);
    }
    this.write(GITS + 0x100, Place.Devices + 15, VALID);
    this.write(GITS + 0x108, Place.Collections, VALID);
    this.write(GITS + 0x80, Place.Queue + QUEUE_BYTES / 4096 - 1, VALID);
    this.gic.write(GITS, 4, 1, 0);
    return this;
  }

  /** Puts commands of eight words into the queue, without saying so. */
  enqueue(...commands: readonly (readonly number[])[]): number {
    for (const words of commands) {
      const view = new DataView(this.ram.buffer, Place.Queue - RAM + this.#writer, 32);
      for (let n = 0; n < 8; n += 1) view.setUint32(n * 4, words[n] ?? 0, true);
      this.#writer = (this.#writer + 32) % QUEUE_BYTES;
    }
    return this.#writer;
  }

  command(...commands: readonly (readonly number[])[]): void {
    this.write(GITS + 0x88, this.enqueue(...commands));
  }

  get reader(): number {
    return this.gic.read(GITS + 0x90);
  }

  highest(pe: number): number {
    return this.gic.pe(pe).highest(3);
  }

  /** Lets time pass until commands are done. @returns how many alarms it took */
  settle(): number {
    let alarms = 0;
    for (; this.clock.next < Infinity; alarms += 1) {
      this.clock.jumpTo(this.clock.next);
      this.clock.ring();
    }
    return alarms;
  }
}

const mapDevice = (id: number, bits: number, table: number = Place.Itt): number[] => [
  ItsCommand.MAPD,
  id,
  bits - 1,
  0,
  table,
  VALID,
];
const mapCollection = (id: number, pe: number): number[] => [ItsCommand.MAPC, 0, 0, 0, (pe << 16) | id, VALID];
const mapEvent = (device: number, event: number, intid: number, collection: number): number[] => [
  ItsCommand.MAPTI,
  device,
  event,
  intid,
  collection,
];
const event = (command: number, device: number, id: number, collection = 0): number[] => [
  command,
  device,
  id,
  0,
  collection,
];

/** Device 5 with LPIs 8192 to 8195 of events 0 to 3, on PE 0. */
function mapped(): Board {
  const board = new Board().start();
  board.command(mapDevice(5, 4), mapCollection(0, 0), mapCollection(1, 1));
  board.command(...[0, 1, 2, 3].map((n) => mapEvent(5, n, LPI + n, 0)));
  return board;
}

describe('an ITS', () => {
  it('identifies itself, and says that the GIC has LPIs', () => {
    const { gic } = new Board();
    expect(gic.read(GITS) >>> 0).toBe(0x8000_0000);
    expect([gic.read(GITS + 8), gic.read(GITS + 12)]).toEqual([1 | (7 << 4) | (15 << 8) | (15 << 13), 0]);
    expect([gic.read(GITS + 0x104) >>> 16, gic.read(GITS + 0x10c) >>> 16]).toEqual([0x107, 0x407]);
    expect(gic.read(GITS + 0x114)).toBe(0);
    expect((gic.read(GITS + 0xffe8) >> 4) & 15).toBe(3);
    expect([gic.read(GICD + 4) & (1 << 17), gic.read(GICR + 8) & 1]).toEqual([1 << 17, 1]);
    expect(gic.contains(GITS + 0x1_0040)).toBe(true);
    const without = new Gic(VIRT_GIC);
    expect([without.read(GICD + 4) & (1 << 17), without.read(GICR + 8) & 1, without.contains(GITS)]).toEqual([
      0,
      0,
      false,
    ]);
  });

  it('makes the LPI of an event pending, which is acknowledged for good', () => {
    const board = mapped();
    expect(board.reader).toBe(7 * 32);
    const { gic } = board;
    board.command(event(ItsCommand.INT, 5, 2), [ItsCommand.SYNC]);
    gic.signalMessage(5, 1);
    expect(board.highest(0)).toBe(LPI + 2);
    expect([gic.pe(0).priority(LPI + 2), gic.pe(0).group(LPI + 2)]).toEqual([0xa0, 1]);
    expect([gic.pe(0).highest(1), board.highest(1)]).toEqual([NO_INTERRUPT, NO_INTERRUPT]);
    gic.pe(0).acknowledge(LPI + 2);
    expect(board.highest(0)).toBe(LPI + 1);
    gic.pe(0).acknowledge(LPI + 1);
    gic.pe(0).deactivate(LPI + 1);
    expect(board.highest(0)).toBe(NO_INTERRUPT);
    expect(board.wrote.length).toBeGreaterThan(0);
  });

  it('ignores events that are not mapped', () => {
    const board = mapped();
    for (const [device, id] of [
      [5, 4],
      [5, 16],
      [6, 0],
      [0xffff_ffff, 0],
      [5, 0xffff_ffff],
    ] as const) {
      board.gic.signalMessage(device, id);
      board.command(event(ItsCommand.INT, device, id));
    }
    board.command(mapEvent(5, 5, 100, 0), mapEvent(5, 6, 0x1_0000, 0), mapEvent(5, 7, LPI + 7, 9));
    for (const id of [5, 6, 7]) board.gic.signalMessage(5, id);
    board.gic.write(GITS, 4, 0, 0);
    board.gic.signalMessage(5, 0);
    expect([board.highest(0), board.highest(1)]).toEqual([NO_INTERRUPT, NO_INTERRUPT]);
  });

  it('takes priority and enable from the configuration table, after INV and INVALL', () => {
    const board = mapped();
    for (const n of [0, 1, 2]) board.gic.signalMessage(5, n);
    board.ram[0] = 0xa0;
    board.ram[2] = 0x41;
    expect(board.highest(0)).toBe(LPI);
    board.command(event(ItsCommand.INV, 5, 0));
    expect(board.highest(0)).toBe(LPI + 1);
    board.command([ItsCommand.INVALL, 0, 0, 0, 0]);
    expect(board.highest(0)).toBe(LPI + 2);
    board.ram[0] = 1;
    board.command(event(ItsCommand.INV, 5, 0));
    expect(board.highest(0)).toBe(LPI);
  });

  it('moves, clears and discards', () => {
    const board = mapped();
    for (const n of [0, 1, 2]) board.gic.signalMessage(5, n);
    board.command(event(ItsCommand.MOVI, 5, 0, 1));
    expect([board.highest(0), board.highest(1)]).toEqual([LPI + 1, LPI]);
    board.command(event(ItsCommand.CLEAR, 5, 1));
    expect(board.highest(0)).toBe(LPI + 2);
    board.command(event(ItsCommand.DISCARD, 5, 2));
    board.gic.signalMessage(5, 2);
    expect(board.highest(0)).toBe(NO_INTERRUPT);
    board.command([ItsCommand.MOVALL, 0, 0, 0, 1 << 16, 0, 0]);
    expect([board.highest(0), board.highest(1)]).toEqual([LPI, NO_INTERRUPT]);
    board.gic.signalMessage(5, 0);
    expect(board.highest(1)).toBe(LPI);
    board.command([ItsCommand.MAPI, 5, LPI & 0xf]);
    board.command(
      mapDevice(6, 16, Place.Itt + 0x1000),
      [ItsCommand.MAPI, 6, LPI + 9, 0, 1],
      event(ItsCommand.INT, 6, LPI + 9),
    );
    board.gic.pe(1).acknowledge(LPI);
    expect(board.highest(1)).toBe(LPI + 9);
    board.command([ItsCommand.MAPC, 0, 0, 0, 1], [ItsCommand.MAPD, 5]);
    board.gic.signalMessage(6, LPI + 9);
    board.gic.signalMessage(5, 3);
    board.gic.pe(1).acknowledge(LPI + 9);
    board.gic.pe(0).acknowledge(LPI);
    expect([board.highest(0), board.highest(1)]).toEqual([NO_INTERRUPT, NO_INTERRUPT]);
  });

  it('forwards an LPI, an SPI or an SGI by priority', () => {
    const board = mapped();
    const { gic } = board;
    gic.write(GICD + 0x84, 4, 0xffff_ffff, 0);
    gic.write(GICD + 0x104, 4, 0xffff_ffff, 0);
    gic.write(GICD + 0x400 + 40, 1, 0xb0, 0);
    gic.spi(8).set(true);
    gic.signalMessage(5, 0);
    expect(board.highest(0)).toBe(LPI);
    gic.write(GICD + 0x400 + 40, 1, 0x90, 0);
    expect(board.highest(0)).toBe(40);
    gic.write(GICD, 4, 1, 0);
    expect(board.highest(0)).toBe(NO_INTERRUPT);
  });

  it('reads the pending table when LPIs are enabled, unless it is said to be zero', () => {
    for (const zero of [false, true]) {
      const board = new Board();
      board.ram[Place.Pending - RAM + LPI / 8] = 0b1000;
      if (zero) board.write(GICR + 0x78, Place.Pending, 2 ** 30);
      board.ram.fill(0xa1, 0, 0x1000);
      board.gic.write(GICD, 4, 3, 0);
      board.write(GICR + 0x70, Place.Properties + 15);
      if (!zero) board.write(GICR + 0x78, Place.Pending);
      board.gic.write(GICR, 4, 1, 0);
      board.gic.write(GICR + 0x14, 4, 0, 0);
      expect(board.highest(0)).toBe(zero ? NO_INTERRUPT : LPI + 3);
      expect([board.gic.read(GICR), board.gic.read(GICR + 0x7c)]).toEqual([1, 0]);
    }
  });

  it('stalls where the queue is not in memory, and goes on when told', () => {
    const board = mapped();
    board.gic.write(GITS, 4, 0, 0);
    board.write(GITS + 0x80, 0x1000, VALID);
    board.gic.write(GITS, 4, 1, 0);
    board.write(GITS + 0x88, 64);
    expect(board.reader).toBe(1);
    board.gic.write(GITS, 4, 0, 0);
    board.write(GITS + 0x80, Place.Queue, VALID);
    board.gic.write(GITS, 4, 1, 0);
    expect(board.reader).toBe(64);
  });

  it('runs a long queue in batches, the more time between them the more they cost', () => {
    const board = mapped();
    board.enqueue(...Array.from({ length: 1000 }, () => event(ItsCommand.INT, 5, 3)));
    board.write(GITS + 0x88, (7 + 1000) * 32);
    expect(board.reader).toBe((7 + 64) * 32);
    expect(board.settle()).toBe(15);
    expect(board.reader).toBe((7 + 1000) * 32);
    // 57,344 pending LPIs, which INVALL looks at and MOVALL does not.
    const full = new Board();
    full.ram.fill(0xff, Place.Pending - RAM, Place.Pending - RAM + 0x2000);
    full.start();
    const invalidate = [ItsCommand.INVALL, 0, 0, 0, 0];
    full.enqueue(mapCollection(0, 0), invalidate, invalidate, invalidate);
    full.write(GITS + 0x88, 4 * 32);
    expect(full.reader).toBe(2 * 32);
    expect(full.clock.next).toBeGreaterThan(8_000_000);
    expect(full.settle()).toBe(2);
    const moves = [0, 1, 0].map((n) => [ItsCommand.MOVALL, 0, 0, 0, n << 16, 0, (1 - n) << 16]);
    full.command(...moves);
    expect(full.reader).toBe(7 * 32);
    expect([full.highest(0), full.highest(1)]).toEqual([NO_INTERRUPT, LPI]);
  });

  it('survives any commands, tables and registers', () => {
    let seed = 1;
    const random = (): number => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0);
    const small = (): number => [0, 1, 5, 8192, 0xffff, 0xffff_ffff, Place.Itt, random()][random() >>> 29] ?? 0;
    for (let round = 0; round < 20; round += 1) {
      const board = mapped();
      for (let n = 0; n < 0x800; n += 1) board.ram[Place.Devices - RAM + n] = random() >>> 24;
      for (let n = 0; n < 0x800; n += 1) board.ram[Place.Itt - RAM + n] = random() >>> 24;
      for (let n = 0; n < 60; n += 1) {
        board.command([
          (random() >>> 28) | ((random() >>> 31) << 8),
          small(),
          small(),
          small(),
          small(),
          small(),
          small(),
          small(),
        ]);
        board.gic.signalMessage(small(), small());
      }
      for (let n = 0; n < 60; n += 1) board.write(GITS + ((random() >>> 20) & 0xff8), small(), small());
      board.settle();
      for (const pe of [0, 1]) expect(board.highest(pe)).toBeGreaterThanOrEqual(0);
      expect(board.reader & 0x1f).toBeLessThanOrEqual(1);
    }
  });

  it('goes on from saved state, in the middle of a queue', () => {
    const board = mapped();
    for (const n of [3, 1, 2]) board.gic.signalMessage(5, n);
    board.enqueue(...Array.from({ length: 200 }, () => event(ItsCommand.INT, 5, 0)));
    board.write(GITS + 0x88, (7 + 200) * 32);
    const state = structuredClone(board.gic.save());
    const other = new Board();
    other.ram.set(board.ram);
    other.gic.restore(state);
    expect(other.gic.save()).toEqual(state);
    for (const intid of [3, 1, 2, 0]) {
      expect(other.highest(0)).toBe(LPI + intid);
      other.gic.pe(0).acknowledge(LPI + intid);
    }
    other.settle();
    expect(other.reader).toBe((7 + 200) * 32);
    expect(other.highest(0)).toBe(LPI);
  });
});
