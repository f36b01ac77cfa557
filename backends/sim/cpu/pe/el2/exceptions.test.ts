import { beforeEach, describe, expect, it } from 'vitest';
import { El2Machine, Mode } from '../../testing/el2-machine.ts';
import { brk, eret, hvc, movz, mrs, msr, nop, smc, svc, TestMachine } from '../../testing/test-machine.ts';
import { ExceptionClass } from '../../types.ts';
import { encodeSysreg, sysreg } from '../system-registers.ts';
import { Hcr } from './el2-state.ts';

const { CODE } = TestMachine;
const CURRENT_EL = encodeSysreg(3, 0, 4, 2, 2);
const UNALLOCATED = encodeSysreg(3, 0, 15, 7, 0);
const SAME = 0x200;
const LOWER = 0x400;
const IN_EL1 = 0x1000;

let machine: El2Machine;
beforeEach(() => {
  machine = new El2Machine();
});

/** ESR_EL2: EC and ISS. */
function syndrome(): readonly [number, number] {
  const esr = Number(machine.el2('ESR'));
  return [esr >>> 26, esr & 0x1ff_ffff];
}

describe('a PE with EL2', () => {
  it('starts there', () => {
    expect(machine.runAt(machine.context.pstate, [mrs(0, CURRENT_EL), smc(7)])).toBe(7);
    expect(machine.context.x(0)).toBe(8n);
    expect(machine.context.pstate & 0xfff).toBe(Mode.El2h);
  });

  it('says so in its ID registers, and one without does not', () => {
    const fields = [sysreg.ID_AA64PFR0_EL1, sysreg.ID_AA64MMFR1_EL1, sysreg.ID_AA64MMFR2_EL1];
    const code = [...fields.map((field, n) => mrs(n, field)), smc(0)];
    machine.runAt(Mode.El2h, code);
    const { context } = machine;
    const of = ({ x }: { x: (n: number) => bigint }): bigint[] => [
      (x(0) >> 8n) & 15n,
      (x(1) >> 8n) & 15n,
      (x(1) >> 4n) & 15n,
      (x(1) >> 28n) & 15n,
      (x(2) >> 40n) & 15n,
    ];
    expect(of({ x: (n) => context.x(n) })).toEqual([1n, 1n, 2n, 1n, 1n]);
    const without = new TestMachine();
    without.load(code);
    without.vcpu.run(1000);
    expect(of({ x: (n) => without.context.x(n) })).toEqual([0n, 0n, 0n, 0n, 0n]);
  });

  it('has a stack pointer of its own there', () => {
    machine.context.setSysreg(sysreg.SP_EL1, 0x111n);
    const addSp = (imm: number): number => (0x9100_03ff | (imm << 10)) >>> 0;
    machine.runAt(Mode.El2h, [addSp(0x222), mrs(0, sysreg.SP_EL1), smc(0)]);
    expect([machine.context.sp, machine.context.x(0)]).toEqual([0x222n, 0x111n]);
    machine.context.pstate = Mode.El1h;
    expect(machine.context.sp).toBe(0x111n);
    machine.context.pstate = Mode.El2h;
    expect(machine.context.sp).toBe(0x222n);
  });

  it.each([
    ['EL1', Mode.El1h, IN_EL1 + SAME],
    ['EL0', Mode.El0t, IN_EL1 + LOWER],
  ])('keeps its registers from %s', (_name, mode, vector) => {
    expect(machine.runAt(mode, [mrs(0, sysreg.HCR_EL2), nop])).toBe(vector);
  });
});

describe('exceptions', () => {
  it('HVC of EL1 goes to EL2, which returns behind it', () => {
    machine.write(TestMachine.VECTORS + LOWER, [movz(5, 55), eret]);
    expect(machine.runAt(Mode.El1h, [nop, hvc(0x123), smc(9)])).toBe(9);
    expect(syndrome()).toEqual([ExceptionClass.Hvc64, 0x123]);
    expect([machine.el2('ELR'), machine.el2('SPSR')]).toEqual([BigInt(CODE + 8), BigInt(Mode.El1h)]);
    expect([machine.context.x(5), machine.context.pstate & 0xf]).toEqual([55n, 5]);
  });

  it('HVC of EL2 goes to EL2', () => {
    expect(machine.runAt(Mode.El2h, [hvc(1)])).toBe(SAME);
    expect(machine.runAt(0x3c8, [hvc(1)])).toBe(0);
  });

  it('HVC is undefined with HCR_EL2.HCD', () => {
    machine.hcr(Hcr.HCD);
    expect(machine.runAt(Mode.El1h, [hvc(1)])).toBe(IN_EL1 + SAME);
    expect(machine.context.sysreg(sysreg.ESR_EL1)).toBe(0x200_0000n);
    expect(machine.runAt(Mode.El2h, [hvc(1)])).toBe(SAME);
    expect(syndrome()).toEqual([ExceptionClass.Unknown, 0]);
  });

  it('SMC of EL1 goes to the firmware, or to EL2 with HCR_EL2.TSC', () => {
    expect(machine.runAt(Mode.El1h, [smc(3)])).toBe(3);
    machine.hcr(Hcr.TSC);
    expect(machine.runAt(Mode.El1h, [smc(3)])).toBe(LOWER);
    expect(syndrome()).toEqual([ExceptionClass.Smc64, 3]);
    expect(machine.el2('ELR')).toBe(BigInt(CODE));
    expect(machine.runAt(Mode.El2h, [smc(4)])).toBe(4);
  });

  it.each([
    ['SVC', svc(1), ExceptionClass.Svc64, 1],
    ['BRK', brk(2), ExceptionClass.Brk64, 2],
    ['an undefined instruction', 0, ExceptionClass.Unknown, 0],
    // FADD D0, D0, D0 while CPACR_EL1 forbids it: as undefined.
    ['a floating-point instruction', 0x1e60_2800, ExceptionClass.Unknown, 0],
  ])('%s of EL0 goes to EL1, and to EL2 with HCR_EL2.TGE', (_name, word, ec, iss) => {
    machine.context.setSysreg(sysreg.CPACR_EL1, 0n);
    expect(machine.runAt(Mode.El0t, [word])).toBe(IN_EL1 + LOWER);
    machine.hcr(Hcr.TGE);
    expect(machine.runAt(Mode.El0t, [word])).toBe(LOWER);
    expect(syndrome()).toEqual([ec, iss]);
  });

  it('BRK of EL1 goes to EL2 with MDCR_EL2.TDE', () => {
    machine.context.setSysreg(sysreg.MDCR_EL2, 1n << 8n);
    expect(machine.runAt(Mode.El1h, [brk(2)])).toBe(LOWER);
    expect(syndrome()).toEqual([ExceptionClass.Brk64, 2]);
  });

  it('a floating-point instruction of EL1 goes to EL2 with CPTR_EL2.TFP', () => {
    machine.context.setSysreg(sysreg.CPTR_EL2, 0x33ffn | (1n << 10n));
    expect(machine.runAt(Mode.El1h, [0x1e60_2800])).toBe(LOWER);
    expect(syndrome()).toEqual([ExceptionClass.SimdFp, 0x1e0_0000]);
  });
});

describe('exception returns', () => {
  it.each([
    ['EL1', Mode.El1h, 5],
    ['EL0', Mode.El0t, 0],
  ])('of EL2 go to %s', (_name, mode, el) => {
    machine.context.setSysreg(sysreg.SPSR_EL2, BigInt(mode));
    machine.context.setSysreg(sysreg.ELR_EL2, BigInt(CODE + 8));
    machine.runAt(Mode.El2h, [eret, smc(1), el === 0 ? svc(0) : smc(2)]);
    expect(machine.context.pc).toBe(BigInt(el === 0 ? El2Machine.VECTORS_EL1 + LOWER : CODE + 8));
  });

  it.each([
    ['to EL3', Mode.El2h, 0x3cdn, 0],
    ['to AArch32', Mode.El2h, 0x3d3n, 0],
    ['to EL1 with HCR_EL2.TGE', Mode.El2h, BigInt(Mode.El1h), Hcr.TGE],
  ])('%s are illegal', (_name, mode, spsr, hcr) => {
    machine.hcr(hcr);
    machine.context.setSysreg(sysreg.SPSR_EL2, spsr);
    expect(machine.runAt(mode, [eret])).toBe(SAME);
    expect(syndrome()).toEqual([ExceptionClass.IllegalState, 0]);
  });

  it('of EL1 to EL2 are illegal', () => {
    machine.context.setSysreg(sysreg.SPSR_EL1, BigInt(Mode.El2h));
    expect(machine.runAt(Mode.El1h, [eret])).toBe(IN_EL1 + SAME);
    expect(Number(machine.context.sysreg(sysreg.ESR_EL1)) >>> 26).toBe(ExceptionClass.IllegalState);
  });
});

describe('traps', () => {
  const dcCivac = 0xd50b_7e20;
  const dcZva = 0xd50b_7420;
  const icIvau = 0xd50b_7520;
  const dcCsw = 0xd508_7a40;
  const tlbiVmalle1 = 0xd508_871f;
  const wfi = 0xd503_207f;
  const wfe = 0xd503_205f;

  it.each([
    ['TVM', Hcr.TVM, msr(sysreg.TTBR0_EL1, 3), 0x30_0000 | (2 << 10) | (3 << 5)],
    ['TRVM', Hcr.TRVM, mrs(3, sysreg.TTBR0_EL1), 0x30_0000 | (2 << 10) | (3 << 5) | 1],
    ['TID1', Hcr.TID1, mrs(3, sysreg.REVIDR_EL1), 0x30_0000 | (6 << 17) | (3 << 5) | 1],
    ['TID2', Hcr.TID2, mrs(3, sysreg.CTR_EL0), 0x30_0000 | (1 << 17) | (3 << 14) | (3 << 5) | 1],
    ['TID3', Hcr.TID3, mrs(3, sysreg.ID_AA64PFR0_EL1), 0x30_0000 | (3 << 5) | (4 << 1) | 1],
    ['TACR', Hcr.TACR, mrs(3, sysreg.ACTLR_EL1), 0x30_0000 | (1 << 17) | (1 << 10) | (3 << 5) | 1],
    ['TIDCP', Hcr.TIDCP, mrs(3, UNALLOCATED), 0x30_0000 | (15 << 10) | (3 << 5) | (7 << 1) | 1],
    ['TSW', Hcr.TSW, dcCsw, 0x10_0000 | (2 << 17) | (7 << 10) | (10 << 1)],
    ['TPCP', Hcr.TPCP, dcCivac, 0x10_0000 | (1 << 17) | (3 << 14) | (7 << 10) | (14 << 1)],
    ['TPU', Hcr.TPU, icIvau, 0x10_0000 | (1 << 17) | (3 << 14) | (7 << 10) | (5 << 1)],
    ['TTLB', Hcr.TTLB, tlbiVmalle1, 0x10_0000 | (8 << 10) | (31 << 5) | (7 << 1)],
  ])('of HCR_EL2.%s are of EL1 only', (_name, bit, word, iss) => {
    machine.context.setX(0, BigInt(TestMachine.DATA));
    const undefinedOtherwise = word === mrs(3, UNALLOCATED);
    expect(machine.runAt(Mode.El1h, [word, smc(1)])).toBe(undefinedOtherwise ? IN_EL1 + SAME : 1);
    machine.hcr(bit);
    expect(machine.runAt(Mode.El1h, [word, smc(1)])).toBe(LOWER);
    expect(syndrome()).toEqual([ExceptionClass.Sysreg, iss]);
    expect(machine.el2('ELR')).toBe(BigInt(CODE));
    expect(machine.runAt(Mode.El2h, [word, smc(1)])).toBe(undefinedOtherwise ? SAME : 1);
  });

  it.each([
    ['TWI', Hcr.TWI, wfi, 0],
    ['TWE', Hcr.TWE, wfe, 1],
  ])('of HCR_EL2.%s', (_name, bit, word, ti) => {
    machine.hcr(bit);
    expect(machine.runAt(Mode.El1h, [word])).toBe(LOWER);
    expect(syndrome()).toEqual([ExceptionClass.Wfx, 0x1e0_0000 | ti]);
  });

  it.each([
    ['CPTR_EL2.TCPAC', sysreg.CPTR_EL2, 0x33ffn | (1n << 31n), sysreg.CPACR_EL1],
    ['MDCR_EL2.TDA', sysreg.MDCR_EL2, 1n << 9n, sysreg.MDSCR_EL1],
    ['MDCR_EL2.TDOSA', sysreg.MDCR_EL2, 1n << 10n, sysreg.OSLSR_EL1],
    ['MDCR_EL2.TPM', sysreg.MDCR_EL2, 1n << 6n, sysreg.PMCCNTR_EL0],
    ['MDCR_EL2.TPMCR', sysreg.MDCR_EL2, 1n << 5n, sysreg.PMCR_EL0],
    ['CNTHCTL_EL2.EL1PCTEN', sysreg.CNTHCTL_EL2, 2n, sysreg.CNTPCT_EL0],
    ['CNTHCTL_EL2.EL1PCEN', sysreg.CNTHCTL_EL2, 1n, sysreg.CNTP_CVAL_EL0],
  ])('of %s', (_name, control, value, register) => {
    machine.hcr(0);
    expect(machine.runAt(Mode.El1h, [mrs(0, register), smc(1)])).toBe(1);
    machine.context.setSysreg(control, value);
    expect(machine.runAt(Mode.El1h, [mrs(0, register), smc(1)])).toBe(LOWER);
    expect(syndrome()[0]).toBe(ExceptionClass.Sysreg);
  });

  it('of HCR_EL2.TDZ', () => {
    machine.hcr(Hcr.TDZ);
    expect(machine.runAt(Mode.El1h, [dcZva])).toBe(LOWER);
    expect(syndrome()).toEqual([ExceptionClass.Sysreg, 0x10_0000 | (1 << 17) | (3 << 14) | (7 << 10) | (4 << 1)]);
  });

  it('of keys are there unless HCR_EL2.APK is set', () => {
    machine.context.setSysreg(sysreg.HCR_EL2, 0n);
    expect(machine.runAt(Mode.El1h, [mrs(0, sysreg.APGAKeyHi_EL1)])).toBe(LOWER);
  });

  it('let code run that is hot already', () => {
    const loop = [msr(sysreg.FAR_EL1, 1), 0xf100_0400, 0x54ff_ffc1, smc(2)];
    machine.hcr(0);
    machine.context.setX(0, 100_000n);
    expect(machine.runAt(Mode.El1h, loop)).toBe(2);
    machine.hcr(Hcr.TVM);
    machine.context.setX(0, 5n);
    machine.context.pc = BigInt(CODE);
    expect(machine.runOn()).toBe(LOWER);
  });
});

it('gives EL1 the identity that EL2 chose', () => {
  machine.context.setSysreg(sysreg.VPIDR_EL2, 0x1234n);
  machine.context.setSysreg(sysreg.VMPIDR_EL2, 0x8000_0007n);
  const code = [mrs(0, sysreg.MIDR_EL1), mrs(1, sysreg.MPIDR_EL1), smc(0)];
  machine.runAt(Mode.El1h, code);
  expect([machine.context.x(0), machine.context.x(1)]).toEqual([0x1234n, 0x8000_0007n]);
  machine.runAt(Mode.El2h, code);
  expect([machine.context.x(0), machine.context.x(1)]).toEqual([0x410f_d0f0n, 0x8000_0000n]);
});

it('keeps registers of EL2 when its state is saved and restored', () => {
  machine.context.setSysreg(sysreg.TPIDR_EL2, 77n);
  const saved = machine.cpu.save();
  machine.context.reset(machine.stage2);
  expect(machine.el2('TPIDR')).toBe(0n);
  machine.cpu.restore(saved);
  expect(machine.el2('TPIDR')).toBe(77n);
});
