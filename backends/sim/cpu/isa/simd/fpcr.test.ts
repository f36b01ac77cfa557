import { beforeEach, describe, expect, it } from 'vitest';
import { hvc, mrs, msr, TestMachine } from '../../testing/test-machine.ts';
import { ExceptionClass, RunExit } from '../../types.ts';
import { sysreg } from '../../pe/system-registers.ts';

const DEFAULT_NAN = 1n << 25n;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

function run(value: bigint, ...words: number[]): RunExit {
  machine.context.setX(0, value);
  machine.load(words);
  return machine.vcpu.run(10_000);
}

describe('FPCR', () => {
  it('keeps the bits of modes that are modelled and reads as zero elsewhere', () => {
    const TRAP_ENABLES = 0x9f00n;
    expect(run(DEFAULT_NAN | TRAP_ENABLES, msr(sysreg.FPCR, 0), mrs(1, sysreg.FPCR), hvc(0))).toBe(RunExit.Sync);
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Hvc64);
    expect(machine.context.x(1)).toBe(DEFAULT_NAN);
  });

  it.each([
    ['another rounding mode', 1n << 22n],
    ['flushing to zero', 1n << 24n],
    ['flushing halves to zero', 1n << 19n],
  ])('ends the run as unsupported for %s', (_, value) => {
    expect(run(value, msr(sysreg.FPCR, 0), hvc(0))).toBe(RunExit.Unsupported);
    expect(machine.vcpu.unsupported).toContain('FPCR.RMode, FPCR.FZ or FPCR.FZ16');
  });

  it('is trapped as SIMD&FP instructions are', () => {
    machine.context.traps.simd = true;
    expect(run(0n, mrs(1, sysreg.FPCR), hvc(0))).toBe(RunExit.Sync);
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.SimdFp);
    expect(machine.context.pc).toBe(BigInt(TestMachine.CODE));
  });
});
