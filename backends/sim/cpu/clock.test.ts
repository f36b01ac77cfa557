import { describe, expect, it } from 'vitest';

import { Clock } from './clock.ts';
import {
  addImm,
  b,
  bCond,
  hvc,
  movz,
  mrs,
  msr,
  nop,
  strX,
  subsImm,
  TestMachine,
  wfe,
  wfi,
} from './testing/test-machine.ts';
import { RunExit } from './types.ts';

const { CODE, DATA } = TestMachine;
const NE = 1;
const CNTVCT_EL0 = 0xdf02;
const CNTV_CTL_EL0 = 0xdf19;
const CNTV_CVAL_EL0 = 0xdf1a;

describe('alarms', () => {
  it('ring in the order of their times; those with equal times in the order they were set', () => {
    const clock = new Clock();
    const rung: string[] = [];
    for (const [at, name] of [
      [20, 'b'],
      [10, 'a'],
      [20, 'c'],
      [40, 'e'],
      [30, 'd'],
    ] as const) {
      clock.setAlarm(at, () => rung.push(name));
    }
    expect(clock.next).toBe(10);
    clock.advance(30);
    clock.ring();
    expect(rung).toEqual(['a', 'b', 'c', 'd']);
    expect(clock.next).toBe(40);
  });

  it('with equal times ring by rank, whatever the order in which they were set', () => {
    const clock = new Clock();
    const [first, second] = [clock.newRank(), clock.newRank()];
    const rung: string[] = [];
    const set = (at: number, name: string, rank?: number) => clock.setAlarm(at, () => rung.push(name), rank);
    set(10, 'second', second);
    set(10, 'first', first);
    set(10, 'without');
    set(10, 'first again', first);
    set(5, 'earlier', second);
    clock.jumpTo(10);
    clock.ring();
    expect(rung).toEqual(['earlier', 'without', 'first', 'first again', 'second']);
  });

  it('can be cancelled and set by an alarm that rings', () => {
    const clock = new Clock();
    const rung: string[] = [];
    const late = clock.setAlarm(7, () => rung.push('late'));
    clock.setAlarm(5, () => {
      rung.push('first');
      clock.cancel(late);
      clock.setAlarm(5, () => rung.push('again'));
    });
    clock.jumpTo(10);
    clock.ring();
    expect(rung).toEqual(['first']);
    clock.ring();
    expect(rung).toEqual(['first', 'again']);
    expect(clock.next).toBe(Infinity);
  });

  it('are removed by a reset, and only that sets time back', () => {
    const clock = new Clock();
    clock.advance(100);
    clock.jumpTo(50);
    expect(clock.now).toBe(100);
    clock.setAlarm(200, () => undefined);
    clock.reset();
    expect([clock.now, clock.next]).toEqual([0, Infinity]);
  });
});

describe('guest time', () => {
  it('advances with the instructions retired in any context', () => {
    const machine = new TestMachine();
    machine.load([movz(0, 100), subsImm(0, 0, 1), bCond(NE, -4), hvc(0), b(-16)]);
    expect(machine.vcpu.run(100_000)).toBe(RunExit.Sync);
    expect(machine.cpu.clock.now).toBe(machine.vcpu.retired);
    const other = machine.cpu.createVcpu(1);
    const context = other.createContext(machine.stage2);
    other.activate(context);
    context.pc = BigInt(CODE);
    expect(other.run(100_000)).toBe(RunExit.Sync);
    expect(machine.cpu.clock.now).toBe(machine.vcpu.retired + other.retired);
    machine.cpu.recycle();
    expect(machine.cpu.clock.now).toBe(0);
  });

  it('rings an alarm at the same instruction for every slicing, decoded or compiled', () => {
    const at = (slice: number, warm: boolean): string => {
      const machine = new TestMachine();
      machine.load([addImm(1, 1, 1), nop, strX(1, 3), nop, subsImm(0, 0, 1), bCond(NE, -20), hvc(0)]);
      machine.context.setX(3, BigInt(DATA));
      const run = (): void => {
        machine.context.pc = BigInt(CODE);
        machine.context.setX(0, 40_000n);
        machine.context.setX(1, 0n);
        while (machine.vcpu.run(slice) === RunExit.Budget);
      };
      if (warm) run();
      const seen: string[] = [];
      const start = machine.cpu.clock.now;
      for (const time of [1, 3, 777, 100_003, 100_004]) {
        machine.cpu.clock.setAlarm(start + time, () => {
          seen.push(`${machine.cpu.clock.now - start} ${machine.context.pc} ${machine.context.x(1)}`);
        });
      }
      run();
      return seen.join();
    };
    const expected = at(1_000_000, false);
    expect(expected.split(',')).toHaveLength(5);
    for (const slice of [1, 13, 64, 5000, 1_000_000]) {
      for (const warm of [false, true]) expect(at(slice, warm)).toBe(expected);
    }
  });
});

describe('waiting', () => {
  it('returns to the caller after WFI and WFE, which retire', () => {
    const machine = new TestMachine();
    machine.load([wfi, wfe, hvc(1)]);
    expect([machine.vcpu.run(1000), machine.vcpu.waiting]).toEqual([RunExit.Wait, 'wfi']);
    expect([machine.context.pc, machine.vcpu.retired]).toEqual([BigInt(CODE + 4), 1]);
    expect([machine.vcpu.run(1000), machine.vcpu.waiting]).toEqual([RunExit.Wait, 'wfe']);
    expect(machine.vcpu.timerDeadline).toBe(Infinity);
    expect(machine.vcpu.run(1000)).toBe(RunExit.Sync);
  });

  it('reports when a timer will signal; CNTV_CTL_EL0.ISTATUS is set then', () => {
    const machine = new TestMachine();
    machine.load([
      msr(CNTV_CVAL_EL0, 1),
      msr(CNTV_CTL_EL0, 2),
      mrs(3, CNTV_CTL_EL0),
      wfi,
      mrs(4, CNTV_CTL_EL0),
      hvc(1),
    ]);
    machine.context.setX(1, 5000n);
    machine.context.setX(2, 1n);
    expect(machine.vcpu.run(1000)).toBe(RunExit.Wait);
    expect(machine.vcpu.timerDeadline).toBe(50_000);
    machine.cpu.clock.jumpTo(machine.vcpu.timerDeadline);
    machine.write(CODE + 20, [mrs(5, CNTVCT_EL0), hvc(1)]);
    expect(machine.vcpu.run(1000)).toBe(RunExit.Sync);
    expect([3, 4, 5].map((n) => machine.context.x(n))).toEqual([1n, 5n, 5000n]);
    // Masked or disabled, the timer never signals.
    for (const control of [3n, 0n, 2n]) {
      machine.context.setSysreg(CNTV_CTL_EL0, control);
      expect(machine.vcpu.timerDeadline).toBe(Infinity);
    }
  });
});
