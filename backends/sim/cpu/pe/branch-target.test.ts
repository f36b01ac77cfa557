import { beforeEach, describe, expect, it } from 'vitest';
import {
  bCond,
  br,
  blr,
  brk,
  ELR_EL1,
  eret,
  ESR_EL1,
  hvc,
  nop,
  ret,
  SCTLR_EL1,
  SPSR_EL1,
  subsImm,
  TestMachine,
} from '../testing/test-machine.ts';
import { TableRegime } from '../testing/table-regime.ts';
import { ExceptionClass, RunExit } from '../types.ts';

const { CODE, VECTORS } = TestMachine;
/** Pages at which the same code runs: not guarded, and two that are. */
const [PLAIN, GUARDED, OTHER_GUARDED] = [0x5_0000, 0x6_0000, 0x7_0000];
const TARGET = 0x100;
const bti = (kinds: '' | 'c' | 'j' | 'jc'): number =>
  ({ '': 0xd503_241f, c: 0xd503_245f, j: 0xd503_249f, jc: 0xd503_24df })[kinds];
const PACIASP = 0xd503_233f;
const SCTLR = 0xc5_0878n;
const BT1 = 1n << 36n;
const EL1H = 0x3c5n;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine({
    regime: (stage2) => {
      const regime = new TableRegime(stage2);
      regime.map(VECTORS, VECTORS);
      regime.map(PLAIN, CODE);
      regime.map(GUARDED, CODE, undefined, undefined, true);
      regime.map(OTHER_GUARDED, CODE, undefined, undefined, true);
      return regime;
    },
  });
});

/**
 * Branches from the start of one page to `TARGET` in another.
 *
 * @returns PSTATE.BTYPE as the exception for a wrong target reports it; undefined if there was none
 */
function go(branch: number, from: number, to: number, target: readonly number[]): number | undefined {
  machine.load([branch]);
  machine.write(CODE + TARGET, [...target, hvc(0)]);
  for (const n of [1, 16, 17, 30]) machine.context.setX(n, BigInt(to + TARGET));
  return start(BigInt(from), to);
}

function start(at: bigint, to: number): number | undefined {
  machine.context.pc = at;
  machine.context.setSysreg(ESR_EL1, 0n);
  machine.vcpu.run(1_000_000);
  const esr = Number(machine.context.sysreg(ESR_EL1));
  if (esr >>> 26 !== ExceptionClass.BranchTarget) {
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Hvc64);
    return undefined;
  }
  const spsr = Number(machine.context.sysreg(SPSR_EL1));
  expect((spsr >>> 10) & 3).toBe(esr & 0x1ff_ffff);
  expect(machine.context.sysreg(ELR_EL1)).toBe(BigInt(to + TARGET));
  expect((machine.context.pstate >>> 10) & 3).toBe(0);
  return esr & 3;
}

const [CALL, JUMP, VENEER, RETURN] = [blr(1), br(1), br(16), ret];

describe('a guarded page', () => {
  it.each([
    ['nothing', nop, [2, 3, 1]],
    ['BTI', bti(''), [2, 3, 1]],
    ['BTI c', bti('c'), [undefined, 3, undefined]],
    ['BTI j', bti('j'), [2, undefined, undefined]],
    ['BTI jc', bti('jc'), [undefined, undefined, undefined]],
    ['PACIASP', PACIASP, [undefined, undefined, undefined]],
    ['BRK', brk(0), [undefined, undefined, undefined]],
  ])('accepts what %s allows of calls, jumps and jumps of veneers', (_name, word, expected) => {
    const branches = [CALL, JUMP, VENEER];
    expect(branches.map((branch) => go(branch, OTHER_GUARDED, GUARDED, [word]))).toEqual(expected);
    // Again, now that both pages are known.
    expect(branches.map((branch) => go(branch, OTHER_GUARDED, GUARDED, [word]))).toEqual(expected);
  });

  it('takes jumps from pages that are not guarded for those of veneers', () => {
    expect([CALL, JUMP].map((branch) => go(branch, PLAIN, GUARDED, [bti('c')]))).toEqual([undefined, undefined]);
    expect([CALL, JUMP].map((branch) => go(branch, PLAIN, GUARDED, [nop]))).toEqual([2, 1]);
  });

  it('accepts returns anywhere, and the next instruction after a branch', () => {
    expect(go(RETURN, OTHER_GUARDED, GUARDED, [nop])).toBeUndefined();
    expect(go(CALL, OTHER_GUARDED, GUARDED, [bti('c'), nop, nop])).toBeUndefined();
  });

  it('with SCTLR_EL1.BT1 accepts calls but no jumps to PACIASP', () => {
    machine.context.setSysreg(SCTLR_EL1, SCTLR | BT1);
    expect([CALL, JUMP].map((branch) => go(branch, OTHER_GUARDED, GUARDED, [PACIASP]))).toEqual([undefined, 3]);
  });

  it('checks an exception return that restores PSTATE.BTYPE', () => {
    machine.write(CODE + TARGET, [nop, hvc(0)]);
    machine.load([eret]);
    machine.context.setSysreg(ELR_EL1, BigInt(GUARDED + TARGET));
    machine.context.setSysreg(SPSR_EL1, EL1H | (2n << 10n));
    expect(start(BigInt(PLAIN), GUARDED)).toBe(2);
    machine.context.setSysreg(SPSR_EL1, EL1H);
    expect(start(BigInt(PLAIN), GUARDED)).toBeUndefined();
  });
});

it('a page that is not guarded accepts every branch', () => {
  expect([CALL, JUMP, VENEER].map((branch) => go(branch, GUARDED, PLAIN, [nop]))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

it('is checked in compiled code as well', () => {
  const LOOP = 40_000;
  machine.load([CALL, subsImm(0, 0, 1), bCond(1, -8), hvc(0)]);
  machine.write(CODE + TARGET, [bti('c'), ret, nop, ret]);
  const call = (count: number, target: number): number | undefined => {
    machine.context.setX(0, BigInt(count));
    machine.context.setX(1, BigInt(GUARDED + target));
    machine.context.setSysreg(ESR_EL1, 0n);
    machine.context.pc = BigInt(OTHER_GUARDED);
    while (machine.vcpu.run(1_000_000) === RunExit.Budget);
    const esr = Number(machine.context.sysreg(ESR_EL1));
    return esr === 0 ? undefined : esr >>> 26;
  };
  expect(call(LOOP, TARGET)).toBeUndefined();
  expect(machine.cpu.code.made.compiled).toBeGreaterThan(0);
  expect(machine.context.x(0)).toBe(0n);
  expect(call(1, TARGET + 8)).toBe(ExceptionClass.BranchTarget);
  expect(call(1, TARGET)).toBeUndefined();
});
