import { beforeEach, describe, expect, it } from 'vitest';

import { encodeSysreg, sysreg } from './system-registers.ts';
import { hvc, movz, mrs, msr, TestMachine } from '../testing/test-machine.ts';
import { ExceptionClass, RunExit } from '../types.ts';

const { CODE, VECTORS } = TestMachine;
const BUDGET = 1000;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

/** Runs a few instructions that end in an exit to EL2. @returns its exception class */
function run(...code: number[]): number {
  machine.load(code);
  machine.context.pc = BigInt(CODE);
  expect(machine.vcpu.run(BUDGET)).toBe(RunExit.Sync);
  return machine.vcpu.exit.ec;
}

function read(encoding: number): bigint {
  expect(run(mrs(0, encoding), hvc(0))).toBe(ExceptionClass.Hvc64);
  expect(machine.context.pc).toBe(BigInt(CODE + 8));
  return machine.context.x(0);
}

describe('the CPU interface of the GIC', () => {
  it('has no pending and no active interrupt', () => {
    for (const encoding of [sysreg.ICC_IAR0_EL1, sysreg.ICC_IAR1_EL1, sysreg.ICC_HPPIR0_EL1, sysreg.ICC_HPPIR1_EL1]) {
      expect(read(encoding)).toBe(1023n);
    }
    expect(read(sysreg.ICC_RPR_EL1)).toBe(0xffn);
    expect(read(sysreg.ICC_SRE_EL1)).toBe(7n);
  });

  it('stores the implemented bits of its priority mask', () => {
    const mask = encodeSysreg(3, 0, 4, 6, 0);
    expect(run(movz(1, 0xfff), msr(mask, 1), mrs(0, mask), hvc(0))).toBe(ExceptionClass.Hvc64);
    expect(machine.context.x(0)).toBe(0xf8n);
  });

  it('traps accesses that generate or deactivate interrupts to EL2', () => {
    const registers = [sysreg.ICC_SGI1R_EL1, sysreg.ICC_ASGI1R_EL1, sysreg.ICC_SGI0R_EL1, sysreg.ICC_DIR_EL1];
    for (const encoding of registers) {
      expect(run(msr(encoding, 1))).toBe(ExceptionClass.Sysreg);
      expect(machine.context.pc).toBe(BigInt(CODE));
    }
  });
});

describe('cache identification', () => {
  it('describes each cache that CLIDR_EL1 lists', () => {
    expect(read(sysreg.CLIDR_EL1)).toBe(0x0a20_0023n);
    const select = encodeSysreg(3, 2, 0, 0, 0);
    const sizes = [0, 1, 2].map((cache) => {
      run(movz(1, cache), msr(select, 1), mrs(0, sysreg.CCSIDR_EL1), hvc(0));
      const value = Number(machine.context.x(0));
      const [sets, ways, line] = [(value >>> 13) + 1, ((value >>> 3) & 0x3ff) + 1, 16 << (value & 7)];
      return sets * ways * line;
    });
    expect(sizes).toEqual([64 * 1024, 64 * 1024, 1024 * 1024]);
  });
});

describe('registers of extensions that are absent', () => {
  it.each([
    ['ZCR_EL1', encodeSysreg(3, 0, 1, 2, 0)],
    ['BRBCR_EL1', encodeSysreg(2, 1, 9, 0, 0)],
  ])('%s is undefined', (_name, encoding) => {
    machine.write(VECTORS + 0x200, [hvc(7)]);
    expect(run(mrs(0, encoding), hvc(0))).toBe(ExceptionClass.Hvc64);
    expect(machine.context.pc).toBe(BigInt(VECTORS + 0x204));
  });
});
