import { beforeEach, expect, it } from 'vitest';
import { hvc, sevl, TestMachine } from '../testing/test-machine.ts';
import { ExceptionClass, RunExit } from '../types.ts';
import { sysreg } from './system-registers.ts';

const { CODE, VECTORS } = TestMachine;
const WFET = 0xd503_1003;
const WFIT = 0xd503_1023;
const NANOSECONDS_PER_TICK = 10;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

/** Runs with the time to wait for in X3. */
function run(time: bigint, ...words: number[]): RunExit {
  machine.load([...words, hvc(0)]);
  machine.context.setX(3, time);
  machine.context.pc = BigInt(CODE);
  return machine.vcpu.run(1_000_000);
}

it.each([
  ['WFIT', WFIT, 'wfi'],
  ['WFET', WFET, 'wfe'],
] as const)('%s waits until the counter has a value', (_name, word, waiting) => {
  expect(run(5000n, word)).toBe(RunExit.Wait);
  expect(machine.vcpu.waiting).toBe(waiting);
  expect(machine.vcpu.waitsUntil).toBe(5000 * NANOSECONDS_PER_TICK);
  expect(machine.vcpu.awake).toBe(false);
  machine.cpu.clock.jumpTo(5000 * NANOSECONDS_PER_TICK);
  expect(machine.vcpu.awake).toBe(true);
  // The value has passed.
  expect(run(5000n, word)).toBe(RunExit.Sync);
  expect(run(0xffff_ffff_ffff_ffffn, word)).toBe(RunExit.Wait);
  expect(machine.vcpu.waitsUntil).toBe(Infinity);
});

it('WFET takes an event instead', () => {
  expect(run(5000n, sevl, WFET)).toBe(RunExit.Sync);
  expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Hvc64);
});

it.each([
  ['WFIT', WFIT, 2],
  ['WFET', WFET, 3],
])('%s traps as WFI and WFE do, with its register', (_name, word, ti) => {
  machine.context.traps.wfi = machine.context.traps.wfe = true;
  expect(run(5000n, word)).toBe(RunExit.Sync);
  expect(machine.vcpu.exit.esr).toBe((ExceptionClass.Wfx << 26) | (1 << 25) | (0x1e << 20) | (3 << 5) | (1 << 2) | ti);
  machine.write(VECTORS + 0x400, [hvc(4)]);
  machine.context.pstate = 0;
  machine.context.setSysreg(sysreg.SCTLR_EL1, 0n);
  expect(run(5000n, word)).toBe(RunExit.Sync);
  expect(Number(machine.context.sysreg(sysreg.ESR_EL1)) & 0x3ff).toBe((3 << 5) | (1 << 2) | ti);
});
