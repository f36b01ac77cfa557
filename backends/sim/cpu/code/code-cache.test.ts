import { beforeEach, describe, expect, it } from 'vitest';

import { TableRegime } from '../testing/table-regime.ts';
import { addImm, b, bCond, CPACR_EL1, hvc, movz, strW, subsImm, TestMachine } from '../testing/test-machine.ts';
import { type CpuContext, ExceptionClass, RunExit } from '../types.ts';

const { CODE, DATA } = TestMachine;
const V_CODE = 0x4000_0000;
const V_ALIAS = -0x7000_0000;
const NE = 1;
const SIMD = 0x4e20_1c00; // AND V0.16B, V0.16B, V0.16B
/** X0 counts down from 65,535, X2 sums: long enough to be compiled. */
const LOOP = [movz(0, 0xffff), addImm(2, 2, 1), subsImm(0, 0, 1), bCond(NE, -8), hvc(1)];

let machine: TestMachine;
let regimes: TableRegime[];
beforeEach(() => {
  regimes = [];
  machine = new TestMachine({
    regime: (stage2) => {
      const regime = new TableRegime(stage2);
      regime.map(V_CODE, CODE);
      regimes.push(regime);
      return regime;
    },
  });
});

/** Runs a context from an address to an HVC. @returns its immediate */
function run(context: CpuContext, from = V_CODE): number {
  machine.vcpu.activate(context);
  context.pc = BigInt.asUintN(64, BigInt(from));
  let exit: RunExit;
  do exit = machine.vcpu.run(100_000);
  while (exit === RunExit.Budget);
  expect([exit, machine.vcpu.exit.ec]).toEqual([RunExit.Sync, ExceptionClass.Hvc64]);
  return machine.vcpu.exit.esr & 0xffff;
}

/** Number of blocks compiled from the code at these places, for any address at which it runs. */
function blocks(...places: readonly number[]): number {
  const { code } = machine.cpu;
  const pages = places.flatMap((ipa) =>
    [true, false].map((simdAccess) => code.find(machine.offset(ipa), V_CODE, simdAccess)),
  );
  return pages.reduce((sum, page) => sum + (page?.blocks.length ?? 0), 0);
}

/** Repeats `turn`, which after the first time may decode no more than it did then, and compile nothing again. */
function expectNothingLost(places: readonly number[], turn: () => void): void {
  turn();
  const { decoded } = machine.cpu.code.made;
  for (let round = 0; round < 12; round += 1) turn();
  expect(blocks(...places)).toBeGreaterThan(0);
  expect(machine.cpu.code.made).toEqual({ decoded, compiled: blocks(...places) });
}

describe('contexts with the same code at the same address', () => {
  it('share what was decoded and compiled', () => {
    machine.load(LOOP);
    const other = machine.vcpu.createContext(machine.stage2);
    run(machine.context);
    // The word after the HVC is decoded too: the HVC may return to it.
    expect(machine.cpu.code.made.decoded).toBe(LOOP.length + 1);
    expectNothingLost([CODE], () => {
      run(other);
      run(machine.context);
    });
    expect(machine.cpu.code.made.decoded).toBe(LOOP.length + 1);
    expect(other.x(2)).toBe(13n * 0xffffn);
  });

  it('execute what one of them writes to it, through any address', () => {
    const other = machine.vcpu.createContext(machine.stage2);
    for (const regime of regimes) {
      regime.map(V_CODE + 4096, CODE + 4096);
      regime.map(V_ALIAS, CODE);
    }
    const store = [strW(5, 6), hvc(2)];
    machine.write(CODE + 4096, store);
    machine.load(LOOP);
    // The first store takes the fast path: there is no code on the page yet.
    for (const context of [machine.context, other]) {
      context.setX(5, BigInt(LOOP[1] ?? 0));
      context.setX(6, BigInt.asUintN(64, BigInt(V_ALIAS + 4)));
      run(context, V_CODE + 4096);
    }
    run(machine.context);
    run(machine.context, V_ALIAS);
    run(other);
    expect(blocks(CODE)).toBeGreaterThan(0);
    other.setX(5, BigInt(addImm(2, 2, 3)));
    run(other, V_CODE + 4096);
    for (const [context, from] of [
      [machine.context, V_CODE],
      [machine.context, V_ALIAS],
      [other, V_CODE],
    ] as const) {
      context.setX(2, 0n);
      run(context, from);
      expect(context.x(2)).toBe(3n * 0xffffn);
    }
  });
});

describe('contexts with different code at the same address', () => {
  it('keep their decoded code across switches', () => {
    const other = machine.vcpu.createContext(machine.stage2);
    regimes[1]?.map(V_CODE, DATA);
    machine.load(LOOP);
    machine.write(DATA, [movz(0, 0xffff), addImm(3, 3, 2), subsImm(0, 0, 1), bCond(NE, -8), hvc(7)]);
    expectNothingLost([CODE, DATA], () => expect([run(machine.context), run(other)]).toEqual([1, 7]));
    expect(other.x(3)).toBe(13n * 2n * 0xffffn);
  });
});

it('keeps decoded code while two address spaces alternate', () => {
  machine.load(LOOP);
  machine.write(DATA, [...LOOP.slice(0, 4), hvc(8)]);
  const turn = (ipa: number): number => {
    regimes[0]?.map(V_CODE, ipa);
    machine.cpu.invalidate(machine.stage2);
    return run(machine.context);
  };
  expectNothingLost([CODE, DATA], () => expect([turn(CODE), turn(DATA)]).toEqual([1, 8]));
});

it('keeps decoded code while access to SIMD&FP is switched on and off, and still traps it', () => {
  machine.load([...LOOP.slice(0, 4), SIMD, hvc(1)]);
  const turn = (trapped: boolean): number => {
    machine.context.traps.simd = trapped;
    machine.vcpu.activate(machine.context);
    machine.context.pc = BigInt(V_CODE);
    while (machine.vcpu.run(100_000) === RunExit.Budget);
    return machine.vcpu.exit.ec;
  };
  const both = [ExceptionClass.SimdFp, ExceptionClass.Hvc64];
  expectNothingLost([CODE], () => expect([turn(true), turn(false)]).toEqual(both));
  // Allowed at EL1, trapped at EL0: CPACR_EL1.FPEN = 0b01.
  machine.context.setSysreg(CPACR_EL1, 1n << 20n);
  machine.context.setSysreg(0xc600, BigInt(V_CODE + 4096));
  regimes[0]?.map(V_CODE + 4096, TestMachine.VECTORS);
  for (const [pstate, end] of [
    [0x3c5, 1],
    [0, 0x400],
    [0x3c5, 1],
    [0, 0x400],
  ] as const) {
    machine.context.pstate = pstate;
    expect(run(machine.context)).toBe(end);
  }
});

it('drops the code of a page that is overwritten entirely', () => {
  machine.load(LOOP);
  run(machine.context);
  const page = new Uint32Array(machine.memory.u8.buffer, machine.offset(CODE), 1024);
  page.fill(0);
  page.set([movz(2, 5), b(4), hvc(6)]);
  machine.cpu.wrote(machine.offset(CODE), 4096);
  expect(machine.cpu.code.hasCode(machine.offset(CODE))).toBe(false);
  expect(run(machine.context)).toBe(6);
  expect(machine.context.x(2)).toBe(5n);
});
