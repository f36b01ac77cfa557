import { describe, expect, it } from 'vitest';
import { hvc, TestMachine } from '../../testing/test-machine.ts';
import { VcpuState } from '../../layout.ts';
import { RunExit } from '../../types.ts';

/** FJCVTZS W0, D1. */
const FJCVTZS = 0x1e7e_0020;
const PSTATE_Z = 1 << 30;

describe('FJCVTZS', () => {
  const machine = new TestMachine();

  /** Numbers of every exponent from well below one to where all of the low 32 bits are zero, and beyond. */
  const numbers = Array.from({ length: 110 }, (_, exponent) => 1.234_567_890_123 * 2 ** (exponent - 10));
  const limits = [0, -0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 63];
  const special = [Infinity, -Infinity, NaN, Number.MAX_VALUE, Number.MIN_VALUE];

  it('converts as JavaScript does, and sets Z if nothing was lost', () => {
    for (const value of [...numbers, ...numbers.map((number) => -number), ...limits, ...special]) {
      machine.load([FJCVTZS, hvc(0)]);
      machine.context.pc = BigInt(TestMachine.CODE);
      machine.memory.view.setFloat64(VcpuState.V + 16, value, true);
      expect(machine.vcpu.run(1_000_000)).toBe(RunExit.Sync);
      const exact = Object.is(value | 0, value);
      expect([value, machine.context.x(0), machine.context.pstate & 0xf000_0000]).toEqual([
        value,
        BigInt((value | 0) >>> 0),
        exact ? PSTATE_Z : 0,
      ]);
    }
  });
});
