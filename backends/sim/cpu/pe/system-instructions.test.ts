import { beforeEach, describe, expect, it } from 'vitest';

import { ContextState } from '../layout.ts';
import {
  ELR_EL1,
  ESR_EL1,
  eret,
  hvc,
  movz,
  mrs,
  msr,
  SPSR_EL1,
  smc,
  svc,
  TestMachine,
} from '../testing/test-machine.ts';
import { ExceptionClass, RunExit } from '../types.ts';
import { keptRegisters } from './registers/kept.ts';
import { findSysreg, slotOf, sysreg, sysregs, userSysregSlot } from './system-registers.ts';

const { CODE } = TestMachine;
const SCTLR = sysreg.SCTLR_EL1;
const CNTKCTL = sysreg.CNTKCTL_EL1;
/** Reset value of SCTLR_EL1: of all that its bits permit EL0, only WFI and WFE are permitted. */
const RESET_SCTLR = 0xc5_0878n;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

/** Runs one word at an Exception level. @returns `next`, or the exception class and the level that it was taken to */
function execute(word: number, el: 0 | 1): string {
  machine.load([word, hvc(0x77), svc(0x77)]);
  if (el === 0) machine.load([word, svc(0x77)]);
  machine.context.pstate = el === 0 ? 0 : 0x3c5;
  machine.context.pc = BigInt(CODE);
  machine.context.setSysreg(ESR_EL1, 0n);
  let exit: RunExit;
  do exit = machine.vcpu.run(10_000);
  while (exit === RunExit.Budget);
  if (exit === RunExit.Wait) return 'wait';
  expect(exit).toBe(RunExit.Sync);
  const { ec, esr, target } = machine.vcpu.exit;
  const esr1 = Number(machine.context.sysreg(ESR_EL1));
  if (esr1 !== 0) return (esr1 & 0x1ff_ffff) === 0x77 ? 'next' : `EL1 ${nameOf(esr1 >>> 26)}`;
  return ec === ExceptionClass.Hvc64 && (esr & 0xffff) === 0x77 ? 'next' : `EL${target} ${nameOf(ec)}`;
}

function nameOf(ec: number): string {
  return Object.entries(ExceptionClass).find(([, value]) => value === ec)?.[0] ?? String(ec);
}

describe('the table of system registers', () => {
  it('has each encoding once, and a separate place for each stored value', () => {
    expect(new Set(sysregs.map(({ encoding }) => encoding)).size).toBe(sysregs.length);
    const places = sysregs.map(({ slot }) => slot).filter((slot) => slot >= 0);
    expect(new Set(places).size).toBe(places.length);
    expect(places.filter((slot) => slot >= ContextState.Sysregs && slot < ContextState.Size).length).toBe(
      places.length - 2,
    );
    for (const row of sysregs) expect(findSysreg(row.encoding)).toBe(row);
    expect(findSysreg(0)).toBe(undefined);
  });

  it('has a name for each row, which reads, writes, stores or traps', () => {
    for (const { name, slot, read, write, trapsWrites } of sysregs) {
      expect([name, slot >= 0 || read !== undefined || write !== undefined || trapsWrites === true]).toEqual([
        name,
        true,
      ]);
    }
    expect(() => slotOf('CurrentEL')).toThrow(/CurrentEL/);
  });

  it('makes plain moves only of registers that EL0 may access in full', () => {
    expect(userSysregSlot(sysreg.TPIDR_EL0, true)).toBe(slotOf('TPIDR_EL0'));
    expect(userSysregSlot(sysreg.TPIDRRO_EL0, false)).toBe(slotOf('TPIDRRO_EL0'));
    for (const encoding of [sysreg.TPIDRRO_EL0, sysreg.FPCR, sysreg.SCTLR_EL1, sysreg.DAIF, sysreg.CNTV_CTL_EL0]) {
      expect(userSysregSlot(encoding, true)).toBe(undefined);
    }
  });
});

it('stores the writable bits that EL1 writes, and makes registers of EL1 undefined at EL0', () => {
  for (const [name, { encoding }] of Object.entries(keptRegisters)) {
    if (name === 'FPCR' || name === 'SCTLR_EL1') continue;
    machine.context.setX(1, 0x5a5a_5a5a_5a5a_5a50n);
    machine.load([msr(encoding, 1), mrs(2, encoding), hvc(0)]);
    machine.context.pstate = 0x3c5;
    machine.context.pc = BigInt(CODE);
    expect(machine.vcpu.run(10_000)).toBe(RunExit.Sync);
    const writable = findSysreg(encoding)?.writable ?? 0n;
    expect([name, machine.context.x(2)]).toEqual([name, 0x5a5a_5a5a_5a5a_5a50n & writable]);
    machine = new TestMachine();
    const free = name === 'TPIDR_EL0' || name === 'FPSR';
    expect([name, execute(msr(encoding, 31), 0)]).toEqual([name, free ? 'next' : 'EL1 Unknown']);
  }
});

describe('at EL0', () => {
  const daifSet = 0xd503_4fdf; // MSR DAIFSet, #15
  const dcZva = 0xd50b_7420; // DC ZVA, X0
  const dcCvau = 0xd50b_7b20; // DC CVAU, X0
  const icIvau = 0xd50b_7520; // IC IVAU, X0
  it.each([
    ['CTR_EL0', mrs(0, sysreg.CTR_EL0), SCTLR, 1n << 15n, 'next'],
    ['DAIF', mrs(0, sysreg.DAIF), SCTLR, 1n << 9n, 'next'],
    ['DAIFSet', daifSet, SCTLR, 1n << 9n, 'next'],
    ['DC CVAU', dcCvau, SCTLR, 1n << 26n, 'next'],
    ['IC IVAU', icIvau, SCTLR, 1n << 26n, 'next'],
    ['DC ZVA', dcZva, SCTLR, 1n << 14n, 'EL1 DataAbortLower'],
    ['CNTVCT_EL0', mrs(0, sysreg.CNTVCT_EL0), CNTKCTL, 2n, 'next'],
    ['CNTPCT_EL0', mrs(0, sysreg.CNTPCT_EL0), CNTKCTL, 1n, 'next'],
    ['CNTFRQ_EL0', mrs(0, sysreg.CNTFRQ_EL0), CNTKCTL, 1n, 'next'],
  ])('%s is trapped to EL1 unless EL1 permits it', (_name, word, register, bit, allowed) => {
    expect(execute(word, 0)).toBe('EL1 Sysreg');
    const reset = register === SCTLR ? RESET_SCTLR : 0n;
    machine.context.setSysreg(register, reset | bit);
    expect(execute(word, 0)).toBe(allowed);
  });

  it('reports the trapped instruction in ESR_EL1', () => {
    execute(mrs(5, sysreg.CTR_EL0), 0);
    // Op0 3, Op2 1, Op1 3, CRn 0, Rt 5, CRm 0, read.
    expect(Number(machine.context.sysreg(ESR_EL1)) & 0x1ff_ffff).toBe((3 << 20) | (1 << 17) | (3 << 14) | (5 << 5) | 1);
    execute(daifSet, 0);
    // Op2 6, Op1 3, CRn 4, Rt 31, CRm 15, write.
    const expected = (6 << 17) | (3 << 14) | (4 << 10) | (31 << 5) | (15 << 1);
    expect(Number(machine.context.sysreg(ESR_EL1)) & 0x1ff_ffff).toBe(expected);
  });

  it.each([
    ['HVC', hvc(0x10)],
    ['SMC', smc(0x10)],
    ['ERET', eret],
    ['SPSel', 0xd500_41bf],
    ['TLBI VMALLE1', 0xd508_871f],
    ['IC IALLU', 0xd508_751f],
    ['DC ISW', 0xd508_7640],
    ['CurrentEL', mrs(0, sysreg.CurrentEL)],
    ['ICC_SGI1R_EL1', msr(sysreg.ICC_SGI1R_EL1, 0)],
  ])('%s is undefined', (_name, word) => {
    expect(execute(word, 0)).toBe('EL1 Unknown');
  });
});

describe('at EL1', () => {
  it.each([
    ['TLBI VMALLE1', 0xd508_871f, 'next'],
    ['IC IALLU', 0xd508_751f, 'next'],
    ['DC ISW', 0xd508_7640, 'next'],
    ['an unallocated SYS', 0xd508_1000, 'EL1 Unknown'],
    ['SYSL', 0xd528_751f, 'EL1 Unknown'],
    ['CFINV', 0xd500_401f, 'next'],
    ['a write of CurrentEL', msr(sysreg.CurrentEL, 0), 'EL1 Unknown'],
    ['a read of OSLAR_EL1', mrs(0, sysreg.OSLAR_EL1), 'EL1 Unknown'],
    ['a write of OSLAR_EL1', msr(sysreg.OSLAR_EL1, 0), 'next'],
    ['a write of ID_AA64PFR0_EL1', msr(sysreg.ID_AA64PFR0_EL1, 0), 'EL1 Unknown'],
    ['ICC_DIR_EL1', msr(sysreg.ICC_DIR_EL1, 0), 'EL2 Sysreg'],
    ['SMC', smc(1), 'EL2 Smc64'],
    ['HVC', hvc(1), 'EL2 Hvc64'],
    ['HLT', 0xd440_0000, 'EL1 Unknown'],
  ])('%s', (_name, word, outcome) => {
    expect(execute(word, 1)).toBe(outcome);
  });

  it('inverts the carry flag with CFINV', () => {
    machine.load([0xd500_401f, hvc(0)]);
    machine.context.pstate = 0x2000_03c5;
    expect(machine.vcpu.run(10_000)).toBe(RunExit.Sync);
    expect(machine.context.pstate >>> 28).toBe(0);
  });

  it('reads unlisted identification registers as zero; other unknown registers are undefined', () => {
    machine.context.setX(0, 7n);
    expect(execute(mrs(0, 0xc03f), 1)).toBe('next'); // S3_0_C0_C7_7
    expect(machine.context.x(0)).toBe(0n);
    expect(execute(mrs(0, 0xc048), 1)).toBe('EL1 Unknown'); // CRm = 9
  });

  it('discards a read into XZR and writes zero from XZR', () => {
    machine.load([mrs(31, sysreg.MIDR_EL1), movz(1, 9), msr(sysreg.TPIDR_EL1, 1), msr(sysreg.TPIDR_EL1, 31), hvc(0)]);
    expect(machine.vcpu.run(10_000)).toBe(RunExit.Sync);
    expect(machine.context.sysreg(sysreg.TPIDR_EL1)).toBe(0n);
    expect(machine.context.sp).toBe(0n);
  });

  it('returns to ELR_EL1 and SPSR_EL1', () => {
    machine.context.setSysreg(ELR_EL1, BigInt(CODE + 0x20));
    machine.context.setSysreg(SPSR_EL1, 0n);
    machine.write(CODE + 0x20, [svc(3)]);
    machine.load([eret]);
    expect(machine.vcpu.run(10_000)).toBe(RunExit.Sync);
    expect(machine.context.sysreg(ELR_EL1)).toBe(BigInt(CODE + 0x24));
  });
});
