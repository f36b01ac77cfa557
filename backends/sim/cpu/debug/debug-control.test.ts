import { beforeEach, describe, expect, it } from 'vitest';

import { addImm, bCond, hvc, ldrX, movz, nop, strW, strX, subsImm, TestMachine } from '../testing/test-machine.ts';
import { RunExit } from '../types.ts';
import type { DebugControl } from './debug-control.ts';
import { Watched } from './watchpoints.ts';

const { CODE, DATA } = TestMachine;
const NE = 1;
/** X0 counts down from 65,535, X2 sums: long enough to be compiled. */
const LOOP = [movz(0, 0xffff), addImm(2, 2, 1), subsImm(0, 0, 1), bCond(NE, -8), hvc(1)];

let machine: TestMachine;
let debug: DebugControl;
beforeEach(() => {
  machine = new TestMachine();
  debug = machine.cpu.attachDebugger();
});

/**
 * Runs until the guest stops for the debugger, or exits to EL2. @returns the PC's distance from the start of the code
 */
function go(steps?: number): number | 'exit' {
  debug.resume(steps);
  for (;;) {
    if (machine.vcpu.run(10_000) === RunExit.Sync) return 'exit';
    if (debug.stop !== undefined) return Number(machine.context.pc) - CODE;
  }
}

describe('single steps', () => {
  it('execute one instruction each, over branches, pages and exits', () => {
    const next = CODE + 4096;
    machine.write(next - 8, [addImm(1, 1, 1), addImm(1, 1, 2), bCond(NE, 8), addImm(1, 1, 4), movz(3, 7), hvc(3)]);
    machine.context.pc = BigInt(next - 8);
    machine.context.pstate = 0x4000_03c5; // Z: the branch is not taken
    const seen = Array.from({ length: 5 }, () => go(1));
    expect(seen).toEqual([4092, 4096, 4100, 4104, 4108]);
    expect(machine.context.x(1)).toBe(7n);
    expect(machine.vcpu.retired).toBe(5);
    expect(go(1)).toBe('exit');
    expect(machine.vcpu.exit.esr & 0xffff).toBe(3);
    expect(debug.stop?.kind).toBe('step');
    expect(debug.standing).toBe(false);
    expect(machine.vcpu.run(1000)).toBe(RunExit.Budget);
    expect(debug.standing).toBe(true);
    expect(machine.vcpu.retired).toBe(6);
  });

  it('go into compiled code and out of it, with the count of a run alone', () => {
    machine.load(LOOP);
    debug.resume();
    for (let run = 0; run < 12; run += 1) machine.vcpu.run(10_000);
    expect(machine.cpu.code.made.compiled).toBeGreaterThan(0);
    const { retired } = machine.vcpu;
    expect([go(1), go(1), go(1)].map((pc) => (pc === 'exit' ? pc : pc % 4))).toEqual([0, 0, 0]);
    expect(machine.vcpu.retired).toBe(retired + 3);
    expect(go()).toBe('exit');
    expect(machine.context.x(2)).toBe(0xffffn);
    expect(machine.vcpu.retired).toBe(2 + 3 * 0xffff);
  });

  it('see what the guest writes over the next instruction', () => {
    machine.context.setX(1, BigInt(CODE + 4));
    machine.context.setX(5, BigInt(movz(3, 9)));
    machine.load([strW(5, 1), nop, hvc(1)]);
    expect([go(1), go(1)]).toEqual([4, 8]);
    expect(machine.context.x(3)).toBe(9n);
  });
});

describe('breakpoints', () => {
  it('stop before their instruction each time, and are free elsewhere', () => {
    machine.load(LOOP);
    debug.setBreakpoints(new Set([CODE + 8]));
    for (let pass = 1; pass <= 3; pass += 1) {
      expect(go()).toBe(8);
      expect(debug.stop?.kind).toBe('breakpoint');
      expect(machine.context.x(2)).toBe(BigInt(pass));
    }
    debug.setBreakpoints(new Set());
    expect(go()).toBe('exit');
    expect(machine.vcpu.retired).toBe(2 + 3 * 0xffff);
  });

  it('stop in code that was compiled before, and code that is decoded with them is compiled around them', () => {
    machine.load(LOOP);
    debug.resume();
    for (let run = 0; run < 12; run += 1) machine.vcpu.run(10_000);
    debug.setBreakpoints(new Set([CODE + 16]));
    expect(go()).toBe(16);
    expect(machine.context.x(2)).toBe(0xffffn);
    expect(go()).toBe('exit');
  });

  it('are not in what other machines take over of the same code', () => {
    machine.load(LOOP);
    debug.setBreakpoints(new Set([CODE + 4]));
    expect(go()).toBe(4);
    machine.cpu.recycle();
    machine = new TestMachine();
    machine.load(LOOP);
    expect(machine.vcpu.run(1_000_000)).toBe(RunExit.Sync);
  });
});

describe('watchpoints', () => {
  /** Bytes 0 to 7 are read and written, 8 to 15 only read. */
  const code = [ldrX(3, 1), strX(2, 1), ldrX(4, 6), hvc(1)];

  it.each([
    ['a write of any of its bytes', DATA + 7, 1, Watched.Write, 4],
    ['a read', DATA + 4, 4, Watched.Read, 0],
    ['a read of the second doubleword', DATA + 8, 1, Watched.Any, 8],
    ['nothing beside it', DATA + 8, 8, Watched.Write, 'exit'],
    ['nothing after it', DATA + 16, 8, Watched.Any, 'exit'],
  ] as const)('stop before %s', (_, address, bytes, access, expected) => {
    machine.context.setX(1, BigInt(DATA));
    machine.context.setX(2, 5n);
    machine.context.setX(6, BigInt(DATA + 8));
    machine.load(code);
    debug.setWatchpoints([{ address, bytes, access }]);
    expect(go()).toBe(expected);
    if (expected !== 'exit') {
      expect(debug.stop).toMatchObject({ kind: 'watchpoint', address });
      expect(go(1)).toBe(expected + 4);
    }
  });
});

it('reports what is executed, in runs of instructions', () => {
  machine.load([movz(0, 3), addImm(2, 2, 1), subsImm(0, 0, 1), bCond(NE, -8), hvc(1)]);
  const seen: [number, number][] = [];
  debug.trace = (pc, count) => seen.push([pc - CODE, count]);
  expect(go()).toBe('exit');
  const flat = seen.flatMap(([pc, count]) => Array.from({ length: count }, (_, index) => pc + 4 * index));
  expect(flat).toEqual([0, 4, 8, 12, 4, 8, 12, 4, 8, 12, 16]);
});

it('reports each instruction that is executed, once, and none that is only decoded', () => {
  const seen: number[] = [];
  machine.cpu.onFirst((va) => seen.push(va - CODE));
  machine.load([movz(0, 3), subsImm(0, 0, 1), bCond(NE, -4), hvc(1), movz(9, 9)]);
  expect(go()).toBe('exit');
  expect(seen).toEqual([0, 4, 8, 12]);
});
