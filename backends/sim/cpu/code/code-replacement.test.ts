import { beforeEach, describe, expect, it } from 'vitest';

import { addImm, b, bCond, br, hvc, movz, strX, subsImm, TestMachine } from '../testing/test-machine.ts';
import { RunExit } from '../types.ts';

const { CODE, DATA } = TestMachine;
const PAGE = 4096;
/** Virtual pages of the tests, which stage 2 maps to one physical page or two. */
const FRESH = 0x100_0000;
const NE = 1;
const LOOP = [movz(0, 0xffff), addImm(2, 2, 1), subsImm(0, 0, 1), bCond(NE, -8), hvc(1)];

let machine: TestMachine;

function run(from: number): void {
  machine.context.pc = BigInt(from);
  let exit: RunExit;
  do exit = machine.vcpu.run(100_000);
  while (exit === RunExit.Budget);
  expect([exit, machine.vcpu.exit.esr >>> 26]).toEqual([RunExit.Sync, 0x16]);
}

/** Instructions that something decodes. */
function decoded(what: () => void): number {
  const before = machine.cpu.code.made.decoded;
  what();
  return machine.cpu.code.made.decoded - before;
}

describe('a full record region', () => {
  const PAGES = 8;

  beforeEach(() => {
    machine = new TestMachine({ recordPages: PAGES });
    // Code that depends on where it is, so that it is not copied.
    machine.stage2.map(FRESH - PAGE, 5);
    machine.write(FRESH - PAGE, [0x1000_0000, hvc(1)]); // ADR X0, .
    for (let page = 0; page < 2 * PAGES; page += 1) machine.stage2.map(FRESH + page * PAGE, 5);
  });

  it('loses the page that is in it longest, and no other', () => {
    for (let page = 0; page < PAGES; page += 1) run(FRESH + page * PAGE);
    expect(machine.cpu.code.size).toBe(PAGES);
    run(FRESH + PAGES * PAGE);
    expect(machine.cpu.code.size).toBe(PAGES);
    expect(machine.cpu.code.find(machine.offset(FRESH), FRESH, true)).toBeUndefined();
    expect(
      decoded(() => {
        for (let page = 1; page <= PAGES; page += 1) run(FRESH + page * PAGE);
      }),
    ).toBe(0);
    run(FRESH);
    expect(machine.context.x(0)).toBe(BigInt(FRESH));
  });

  it('runs code on more pages than fit, each at its address', () => {
    for (const round of [0, 1, 2]) {
      for (let page = 0; page < 2 * PAGES; page += 1) {
        run(FRESH + page * PAGE);
        expect([round, machine.context.x(0)]).toEqual([round, BigInt(FRESH + page * PAGE)]);
      }
    }
  });
});

it('copies what is decoded at another address, but what depends on it', () => {
  machine = new TestMachine();
  machine.stage2.map(FRESH, 0);
  const code = [...Array.from({ length: 100 }, (_, n) => addImm(3, 3, n)), 0x1000_0000, hvc(1)]; // ADR X0, .
  machine.load(code);
  run(CODE);
  expect(decoded(() => run(FRESH))).toBe(1);
  expect(machine.context.x(0)).toBe(BigInt(FRESH + 400));
});

it('keeps decoded code when the table of handlers and blocks is replaced', () => {
  machine = new TestMachine();
  machine.load(LOOP);
  // Each page is compiled by itself, and a table has room for fewer modules.
  const pages = 300;
  for (let page = 0; page < pages; page += 1) machine.stage2.map(FRESH + page * PAGE, 0);
  for (let page = 0; page < pages; page += 1) run(FRESH + page * PAGE);
  expect(machine.context.x(2)).toBe(BigInt(pages * 0xffff));
  // Only what blocks began with is decoded again.
  const again = decoded(() => {
    for (let page = 0; page < 50; page += 1) run(FRESH + page * PAGE);
  });
  expect(again).toBeLessThanOrEqual(50 * 2);
  expect(machine.context.x(2)).toBe(BigInt((pages + 50) * 0xffff));
});

describe('a page that is stored to again and again', () => {
  const stores = (count: number): readonly number[] => [
    movz(0, count),
    strX(3, 1),
    subsImm(0, 0, 1),
    bCond(NE, -8),
    hvc(1),
  ];

  beforeEach(() => {
    machine = new TestMachine();
    machine.write(DATA, [addImm(4, 4, 1), hvc(2)]);
    run(DATA);
    machine.load(stores(1000));
  });

  it('is taken for data, until code on it runs again', () => {
    machine.context.setX(1, BigInt(DATA + 512));
    const { effort } = machine.vcpu;
    run(CODE);
    expect(machine.cpu.code.hasCode(machine.offset(DATA))).toBe(false);
    expect(machine.vcpu.effort - effort).toBeLessThan(40_000);
    machine.context.setX(1, BigInt(DATA));
    machine.context.setX(3, (BigInt(hvc(7)) << 32n) | BigInt(addImm(4, 4, 2)));
    run(DATA);
    run(CODE);
    run(DATA);
    expect([machine.context.x(4), machine.vcpu.exit.esr & 0xffff]).toEqual([4n, 7]);
  });

  it('stays one of code while it is run in between', () => {
    machine.context.setX(1, BigInt(DATA + 512));
    machine.context.setX(5, BigInt(CODE + 20));
    // Stores, and a branch to the other page and back, in turn.
    machine.write(DATA, [addImm(4, 4, 1), br(6)]);
    machine.load([movz(0, 1000), strX(3, 1), addImm(6, 5, 0), br(7), 0, subsImm(0, 0, 1), bCond(NE, -20), hvc(1)]);
    machine.context.setX(7, BigInt(DATA));
    machine.context.setX(4, 0n);
    run(CODE);
    expect(machine.context.x(4)).toBe(1000n);
    expect(machine.cpu.code.hasCode(machine.offset(DATA))).toBe(true);
  });

  it('may be the one that the stores are on', () => {
    machine.context.setX(1, BigInt(CODE + 512));
    run(CODE);
    machine.context.setX(1, BigInt(CODE + 24));
    machine.context.setX(3, (BigInt(hvc(9)) << 32n) | BigInt(addImm(4, 4, 1)));
    machine.load([...stores(1000).slice(0, 4), b(8), hvc(1), hvc(1), hvc(1)]);
    run(CODE);
    expect(machine.vcpu.exit.esr & 0xffff).toBe(9);
  });
});
