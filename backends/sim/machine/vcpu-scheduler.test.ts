import { describe, expect, it } from 'vitest';

import {
  addImm,
  b,
  cbnzX,
  cbzX,
  eret,
  hvc,
  ldaddX,
  ldrX,
  ldxrX,
  mrs,
  movz,
  msr,
  nop,
  sev,
  strX,
  stxrX,
  subsImm,
  bCond,
  swpX,
  TestMachine,
  wfe,
  wfi,
} from '../cpu/testing/test-machine.ts';
import { SmpMachine } from './testing/smp-machine.ts';

const DATA = TestMachine.DATA >> 16;
const DAIFCLR_I = 0xd503_42ff;
const DAIFSET_I = 0xd503_42df;
const NE = 1;
const CNTV_TVAL_EL0 = 0xdf18;
const CNTV_CTL_EL0 = 0xdf19;
const ICC_SGI1R_EL1 = 0xc65d;
const ICC_IAR1_EL1 = 0xc660;
const ICC_EOIR1_EL1 = 0xc661;
/** ORR X2, X2, X5. */
const ORR_X2_X5 = 0xaa05_0042;
const BUDGETS = [1, 64, 997, 20_000, 5_000_000];

/** X0: the lock, X1: what it protects, X2: how often. */
const setUp = (count: number): number[] => [movz(0, DATA, 1), addImm(1, 0, 256), movz(2, count)];
/** With a loop, where a turn may end while the lock is held. */
const increment = [ldrX(3, 1), movz(7, 20), subsImm(7, 7, 1), bCond(NE, -4), addImm(3, 3, 1), strX(3, 1)];
const unlock = [strX(31, 0)];
const repeat = (from: number): number[] => [subsImm(2, 2, 1), bCond(NE, -(from + 1) * 4)];

/** A lock by LDXR and STXR that waits in WFE for a store that unlocks it. */
const exclusiveLock = (count: number): number[] => {
  const body = [
    movz(4, 1),
    ldxrX(5, 0),
    cbzX(5, 12),
    wfe,
    b(-12),
    stxrX(6, 4, 0),
    cbnzX(6, -20),
    ...increment,
    ...unlock,
  ];
  return [...setUp(count), ...body, ...repeat(body.length)];
};

/** A lock by SWP. */
const swapLock = (count: number): number[] => {
  const body = [movz(4, 1), swpX(4, 5, 0), cbnzX(5, -4), ...increment, ...unlock];
  return [...setUp(count), ...body, ...repeat(body.length)];
};

/** For each budget the log of four vCPUs that all run the same code, and what is in data at 256. */
function outcomes(code: readonly number[], quantum: number): unknown[] {
  return BUDGETS.map((budget) => {
    const machine = new SmpMachine(4, { quantum });
    for (const index of [0, 1, 2, 3]) machine.program(index, code);
    return [machine.run(budget), Number(machine.data(256))];
  });
}

describe('VcpuScheduler', () => {
  it.each([
    ['exclusives and WFE', exclusiveLock],
    ['LSE atomics', swapLock],
  ])('runs four vCPUs with a lock of %s alike for any budget of runs and any quantum', (_, lock) => {
    const orders = [33, 70, 20_000].map((quantum) => {
      const [first, ...others] = outcomes(lock(300), quantum);
      for (const other of others) expect(other).toEqual(first);
      expect(first).toEqual([expect.anything(), 1200]);
      return first;
    });
    expect(new Set(orders.map((one) => JSON.stringify((one as unknown[])[0]))).size).toBe(3);
  });

  it('adds with LDADD what four vCPUs add', () => {
    const body = [movz(3, 1), ldaddX(3, 4, 1)];
    for (const result of outcomes([...setUp(1000), ...body, ...repeat(body.length)], 100)) {
      expect(result).toEqual([expect.anything(), 4000]);
    }
  });

  it('fails a store-exclusive after a turn of another vCPU', () => {
    const machine = new SmpMachine(2, { quantum: 100 });
    const spin = [movz(2, 400), subsImm(2, 2, 1), bCond(NE, -4)];
    machine.program(0, [movz(0, DATA, 1), ldxrX(5, 0), ...spin, stxrX(6, 5, 0)]);
    machine.program(1, [movz(0, DATA, 1), movz(1, 7), ...spin, strX(1, 0)]);
    machine.run();
    expect(machine.vcpus[0]?.active.x(6)).toBe(1n);
    expect(machine.data(0)).toBe(7n);
  });

  it('gives turns of the quantum, which begin with the vCPU after the last', () => {
    const machine = new SmpMachine(3, { quantum: 1000 });
    const spin = [movz(2, 1500), subsImm(2, 2, 1), bCond(NE, -4)];
    for (const index of [2, 0, 1]) machine.program(index, spin);
    const order = machine.run().map((line) => line.split(':')[0]);
    expect(order).toEqual(['0', '1', '2', `end at ${String(machine.cpu.clock.now)}`]);
    expect(machine.cpu.clock.now).toBe(3 * 3002);
  });

  it('sends interrupts between vCPUs by SGI, and wakes one that waits', () => {
    for (const budget of BUDGETS) {
      const machine = new SmpMachine(4);
      machine.vector(0x280, [mrs(8, ICC_IAR1_EL1), msr(ICC_EOIR1_EL1, 8), movz(9, 1), eret]);
      const answer = [movz(0, DATA, 1), movz(3, 1), ldaddX(3, 4, 0)];
      for (const index of [1, 2, 3]) machine.program(index, [wfi, DAIFCLR_I, DAIFSET_I, cbzX(9, -12), ...answer]);
      // SGI 5 to 2 and 3 of a list of eight.
      const send = [movz(2, 0x500, 1), addImm(2, 2, 0xfc), msr(ICC_SGI1R_EL1, 2)];
      // SGI 6 to all others.
      const broadcast = [movz(2, 0x100, 2), movz(5, 0x600, 1), ORR_X2_X5, msr(ICC_SGI1R_EL1, 2)];
      const wait = (most: number): number[] => [movz(0, DATA, 1), ldrX(1, 0), subsImm(1, 1, most), bCond(NE, -8)];
      machine.program(0, [...send, ...wait(2), ...broadcast, ...wait(3)]);
      machine.run(budget);
      expect(machine.data(0)).toBe(3n);
      expect(machine.vcpus.map(({ active }) => active.x(8))).toEqual([0n, 6n, 5n, 5n]);
    }
  });

  it('ends WFE by SEV of another vCPU, and at once if the event was before', () => {
    const machine = new SmpMachine(2);
    machine.program(0, [sev, wfe, wfe, movz(1, 1)]);
    machine.program(1, [nop, nop, sev]);
    expect(
      machine
        .run()
        .slice(0, 2)
        .map((line) => line.split(' at')[0]),
    ).toEqual(['1: 1', '0: 0']);
  });

  it('ends WFE by a store to what the monitor marks, not by one elsewhere', () => {
    for (const [offset, ends] of [
      [8, true],
      [64, false],
    ] as const) {
      const machine = new SmpMachine(2);
      machine.program(0, [movz(0, DATA, 1), ldxrX(1, 0), wfe, mrs(3, 0xdf02)]);
      machine.program(1, [movz(0, DATA, 1), addImm(0, 0, offset), movz(1, 1), strX(1, 0)]);
      machine.run();
      // Otherwise it ends by itself, much later.
      expect(Number(machine.vcpus[0]?.active.x(3)) < 1000).toBe(ends);
      expect(machine.log).toHaveLength(3);
    }
  });

  it('jumps to the next alarm when all wait, and is idle if there is none', () => {
    for (const budget of BUDGETS) {
      const machine = new SmpMachine(2);
      machine.vector(0x280, [movz(2, 0), msr(CNTV_CTL_EL0, 31), movz(9, 1), eret]);
      const timer = [movz(1, 50_000), movz(2, 1), msr(CNTV_TVAL_EL0, 1), msr(CNTV_CTL_EL0, 2), DAIFCLR_I];
      machine.program(0, [...timer, wfi, hvc(7)]);
      machine.program(1, [wfi]);
      expect(machine.run(budget)).toEqual(['0: 7 at 12', expect.stringMatching(/^end at 5000/)]);
      expect(machine.scheduler.idle).toBe(true);
      expect(machine.scheduler.allOff).toBe(false);
      // A device.
      machine.writeGic(0x0800_0084, ~0);
      machine.writeGic(0x0800_0104, ~0);
      machine.writeGic(0x0800_6000 + 8 * 40, 1);
      machine.gic.spi(8).set(true);
      expect(machine.scheduler.idle).toBe(false);
      expect(machine.run(budget).at(-2)).toMatch(/^1: 1 at/);
      expect(machine.scheduler.allOff).toBe(true);
    }
  });

  it('ends a run while vCPUs wait and alarms that wake none go on', () => {
    const machine = new SmpMachine(1);
    const tick = (): void => void machine.cpu.clock.setAlarm(machine.cpu.clock.now + 10, tick);
    tick();
    machine.program(0, [wfi]);
    expect(machine.run(1000, 100_000)).toEqual([expect.stringMatching(/^end at/)]);
    expect(machine.scheduler.idle).toBe(false);
  });

  it('goes on from saved state', () => {
    const machine = new SmpMachine(2, { quantum: 100 });
    for (const index of [0, 1]) machine.program(index, swapLock(10));
    machine.scheduler.run(500);
    const state = structuredClone(machine.scheduler.save());
    machine.scheduler.restore(state);
    expect(machine.scheduler.save()).toEqual(state);
  });
});
