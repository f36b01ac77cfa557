import { beforeEach, describe, expect, it } from 'vitest';
import { sysreg } from '../pe/system-registers.ts';
import { hvc, SCTLR_EL1, TestMachine } from '../testing/test-machine.ts';
import { TableRegime } from '../testing/table-regime.ts';
import { ExceptionClass } from '../types.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const SCTLR = 0xc5_0878n;
/** SCTLR_EL1.nAA is one after reset. */
const NAA = 1n << 6n;
const A = 2n;
const PAGE_END = DATA + 4096;

/** Normal memory, of which two pages follow each other. */
let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine({
    regime: (stage2) => {
      const regime = new TableRegime(stage2);
      for (const page of [CODE, VECTORS, DATA, PAGE_END]) regime.map(page, page);
      return regime;
    },
  });
  for (let n = 0; n < 8192; n += 1) machine.memory.view.setUint8(machine.offset(DATA + n), n & 0xff);
});

/** Executes an instruction with an address in X1. @returns whether it is an Alignment fault */
function faults(word: number, address: number): boolean {
  machine.load([word, hvc(0)]);
  machine.context.setX(1, BigInt(address));
  machine.context.setX(2, 0x1122_3344_5566_7788n);
  machine.context.pc = BigInt(CODE);
  machine.vcpu.run(1_000_000);
  if ((machine.vcpu.exit.esr & 0xffff) === 0) return false;
  const esr = Number(machine.context.sysreg(sysreg.ESR_EL1));
  expect([esr >>> 26, esr & 0x3f]).toEqual([ExceptionClass.DataAbortSame, 0x21]);
  return true;
}

const exclusive = ['LDXR X2, [X1]', 0xc85f_7c22] as const;
const atomics = [
  ['LDADD X2, X3, [X1]', 0xf822_0023],
  ['SWP X2, X3, [X1]', 0xf822_8023],
  ['CAS X2, X3, [X1]', 0xc8a2_7c23],
] as const;
const ordered = [
  ['LDAR X2, [X1]', 0xc8df_fc22],
  ['STLR X2, [X1]', 0xc89f_fc22],
  ['LDAPR X2, [X1]', 0xf8bf_c022],
  ['LDAPUR X2, [X1]', 0xd940_0022],
  ['STLUR X2, [X1]', 0xd900_0022],
] as const;

describe.each([exclusive, ...atomics, ...ordered])('%s', (_name, word) => {
  it('needs no alignment within 16 aligned bytes', () => {
    machine.context.setSysreg(SCTLR_EL1, SCTLR & ~NAA);
    expect([0, 1, 5, 8].map((offset) => faults(word, DATA + 32 + offset))).toEqual([false, false, false, false]);
    expect([9, 15].map((offset) => faults(word, DATA + 32 + offset))).toEqual([true, true]);
  });

  it('needs it with SCTLR_EL1.A', () => {
    machine.context.setSysreg(SCTLR_EL1, SCTLR | A);
    expect([8, 1].map((offset) => faults(word, DATA + 32 + offset))).toEqual([false, true]);
  });
});

it.each(ordered)('%s needs none with SCTLR_EL1.nAA, also across pages', (_name, word) => {
  machine.context.setSysreg(SCTLR_EL1, SCTLR | NAA);
  expect(faults(word, DATA + 41)).toBe(false);
  expect(faults(word, PAGE_END - 3)).toBe(false);
});

it.each([exclusive, ...atomics])('%s needs it whatever SCTLR_EL1.nAA says', (_name, word) => {
  machine.context.setSysreg(SCTLR_EL1, SCTLR | NAA);
  expect(faults(word, DATA + 41)).toBe(true);
});

it('reads and writes the bytes at a misaligned address', () => {
  expect(faults(0xd940_0022, DATA + 35)).toBe(false);
  expect(machine.context.x(2)).toBe(0x2a29_2827_2625_2423n);
  expect(faults(0xf822_8023, DATA + 35)).toBe(false);
  expect(machine.memory.view.getBigUint64(machine.offset(DATA + 35), true)).toBe(0x1122_3344_5566_7788n);
  expect(machine.context.x(3)).toBe(0x2a29_2827_2625_2423n);
});
