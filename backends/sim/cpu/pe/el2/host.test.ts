import { beforeEach, describe, expect, it } from 'vitest';
import { El2Machine, Mode } from '../../testing/el2-machine.ts';
import { OneInterrupt } from '../../testing/one-interrupt.ts';
import { Descriptor, Tcr } from '../../testing/table-builder.ts';
import { ldrX, movz, mrs, msr, nop, smc, svc, TestMachine } from '../../testing/test-machine.ts';
import { ExceptionClass } from '../../types.ts';
import { encodeSysreg, sysreg } from '../system-registers.ts';
import { Hcr, HcrHigh } from './el2-state.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const LOWER = 0x400;
const SAME = 0x200;
const IN_EL1 = 0x1000;
/** The alias of a register of EL1: op1 is 5. */
const el12 = (encoding: number): number => (encoding & ~(7 << 11)) | (5 << 11);

let machine: El2Machine;
beforeEach(() => {
  machine = new El2Machine();
  machine.hcr(0, HcrHigh.E2H);
});

describe('a host at EL2 (HCR_EL2.E2H)', () => {
  it.each([
    ['SCTLR', sysreg.SCTLR_EL1, sysreg.SCTLR_EL2, 0x30c5_0830n],
    ['CPACR', sysreg.CPACR_EL1, sysreg.CPTR_EL2, 3n << 20n],
    ['TTBR0', sysreg.TTBR0_EL1, sysreg.TTBR0_EL2, 0x1000n],
    ['TTBR1', sysreg.TTBR1_EL1, sysreg.TTBR1_EL2, 0x2000n],
    ['TCR', sysreg.TCR_EL1, sysreg.TCR_EL2, 25n],
    ['ESR', sysreg.ESR_EL1, sysreg.ESR_EL2, 0x77n],
    ['FAR', sysreg.FAR_EL1, sysreg.FAR_EL2, 0x78n],
    ['MAIR', sysreg.MAIR_EL1, sysreg.MAIR_EL2, 0xffn],
    ['ELR', sysreg.ELR_EL1, sysreg.ELR_EL2, 0x88n],
    ['SPSR', sysreg.SPSR_EL1, sysreg.SPSR_EL2, 0x3c9n],
    ['CONTEXTIDR', sysreg.CONTEXTIDR_EL1, sysreg.CONTEXTIDR_EL2, 5n],
    ['CNTKCTL', sysreg.CNTKCTL_EL1, sysreg.CNTHCTL_EL2, 0xc03n],
  ])('has %s by the name of EL1, and that of EL1 as _EL12', (_name, el1, el2, value) => {
    machine.context.setX(1, value);
    machine.context.setX(2, value ^ 4n);
    expect(machine.runAt(Mode.El2h, [msr(el1, 1), msr(el12(el1), 2), mrs(3, el1), mrs(4, el12(el1)), smc(1)])).toBe(1);
    expect([machine.context.x(3), machine.context.x(4)]).toEqual([value, value ^ 4n]);
    expect([machine.context.sysreg(el2), machine.context.sysreg(el1)]).toEqual([value, value ^ 4n]);
  });

  it('has the timers of EL2 by the names of EL0', () => {
    machine.context.setX(1, 0x1000n);
    const code = [msr(sysreg.CNTV_CVAL_EL0, 1), msr(el12(sysreg.CNTP_CVAL_EL0), 1), smc(1)];
    expect(machine.runAt(Mode.El2h, code)).toBe(1);
    expect([machine.el2('CNTHV_CVAL'), machine.el2('CNTHP_CVAL')]).toEqual([0x1000n, 0n]);
    expect(machine.context.sysreg(sysreg.CNTP_CVAL_EL0)).toBe(0x1000n);
  });

  it('has no such names otherwise', () => {
    machine.hcr(0);
    expect(machine.runAt(Mode.El2h, [mrs(0, el12(sysreg.SCTLR_EL1))])).toBe(SAME);
    machine.context.setX(1, 9n);
    machine.runAt(Mode.El2h, [msr(sysreg.FAR_EL1, 1), smc(1)]);
    expect([machine.context.sysreg(sysreg.FAR_EL1), machine.el2('FAR')]).toEqual([9n, 0n]);
  });

  it('controls floating point by CPTR_EL2.FPEN', () => {
    const fadd = 0x1e60_2800;
    machine.context.setSysreg(sysreg.CPTR_EL2, 0n);
    expect(machine.runAt(Mode.El2h, [fadd, smc(1)])).toBe(SAME);
    expect(Number(machine.el2('ESR')) >>> 26).toBe(ExceptionClass.SimdFp);
    machine.context.setSysreg(sysreg.CPTR_EL2, 3n << 20n);
    expect(machine.runAt(Mode.El2h, [fadd, smc(1)])).toBe(1);
  });

  it('sees the physical counter as virtual, while EL1 sees its offset', () => {
    machine.context.setSysreg(sysreg.CNTVOFF_EL2, 1n << 40n);
    machine.runAt(Mode.El2h, [mrs(0, sysreg.CNTVCT_EL0), smc(1)]);
    expect(machine.context.x(0)).toBeLessThan(1n << 20n);
    machine.runAt(Mode.El1h, [mrs(0, sysreg.CNTVCT_EL0), smc(1)]);
    expect(BigInt.asIntN(64, machine.context.x(0))).toBeLessThan(-(1n << 39n));
  });
});

describe('EL0 of a host (HCR_EL2.E2H and TGE)', () => {
  /** Maps code and data for EL0 and EL2, and vectors in the upper half. */
  function mapped(): El2Machine {
    const made = new El2Machine();
    const tables = [0x4_0000, 0x4_1000, 0x4_2000] as const;
    tables.forEach((table, index) => {
      made.stage2.map(table, 9 + index);
    });
    const poke = (address: number, value: bigint): void => {
      made.memory.view.setBigUint64(made.offset(address), value, true);
    };
    poke(tables[0], BigInt(tables[1]) | Descriptor.Table);
    poke(tables[1], BigInt(tables[2]) | Descriptor.Table);
    const user = Descriptor.Page | Descriptor.AccessFlag | Descriptor.User;
    poke(tables[2] + (CODE >> 12) * 8, BigInt(CODE) | user | Descriptor.ReadOnly);
    poke(tables[2] + (DATA >> 12) * 8, BigInt(DATA) | user);
    poke(tables[2] + (VECTORS >> 12) * 8, BigInt(VECTORS) | Descriptor.Page | Descriptor.AccessFlag);
    poke(DATA, 0x4321n);
    made.hcr(Hcr.TGE, HcrHigh.E2H);
    const { context } = made;
    context.setSysreg(sysreg.MAIR_EL2, 0xffn);
    context.setSysreg(sysreg.TCR_EL2, Tcr.t0sz(39) | Tcr.t1sz(39) | Tcr.tg1[12] | Tcr.ips(5));
    context.setSysreg(sysreg.TTBR0_EL2, BigInt(tables[0]));
    context.setSysreg(sysreg.TTBR1_EL2, BigInt(tables[0]));
    context.setSysreg(sysreg.VBAR_EL2, BigInt.asUintN(64, BigInt(VECTORS) - (1n << 39n)));
    context.setSysreg(sysreg.SCTLR_EL2, 0x30c5_0831n);
    return made;
  }

  it('runs in the EL2&0 regime, and its exceptions go to EL2', () => {
    const host = mapped();
    host.context.setX(0, BigInt(DATA));
    expect(host.runAt(Mode.El0t, [ldrX(1, 0), svc(3)])).toBe(LOWER);
    expect([host.context.x(1), Number(host.el2('ESR')) >>> 26]).toEqual([0x4321n, ExceptionClass.Svc64]);
    expect(host.context.pstate & 0xf).toBe(9);
  });

  it('takes its aborts to EL2, and EL2 keeps its own memory from it', () => {
    const host = mapped();
    host.context.setX(0, BigInt(VECTORS));
    expect(host.runAt(Mode.El0t, [ldrX(1, 0)])).toBe(LOWER);
    expect(host.el2('ESR')).toBe(BigInt(((ExceptionClass.DataAbortLower << 26) | (1 << 25) | 0xf) >>> 0));
    expect(host.el2('FAR')).toBe(BigInt(VECTORS));
  });

  it('sets PSTATE.PAN on entry to EL2, by SCTLR_EL2.SPAN', () => {
    const host = mapped();
    host.runAt(Mode.El0t, [svc(3)]);
    expect(host.context.pstate & (1 << 22)).toBe(0);
    host.context.setSysreg(sysreg.SCTLR_EL2, 0x30c5_0831n & ~(1n << 23n));
    host.runAt(Mode.El0t, [svc(3)]);
    expect(host.context.pstate & (1 << 22)).not.toBe(0);
  });

  it('is not trapped by controls of EL1', () => {
    const host = mapped();
    host.hcr(Hcr.TGE | Hcr.TID2 | Hcr.TWE, HcrHigh.E2H);
    host.context.setSysreg(sysreg.SCTLR_EL2, 0x30c5_0831n | (1n << 15n));
    expect(host.runAt(Mode.El0t, [mrs(0, sysreg.CTR_EL0), svc(1)])).toBe(LOWER);
    expect(Number(host.el2('ESR')) >>> 26).toBe(ExceptionClass.Svc64);
  });
});

describe('interrupts', () => {
  const DAIF_CLEAR_I = 0xd503_42ff;
  let routing: OneInterrupt;
  beforeEach(() => {
    routing = new OneInterrupt();
    machine.vcpu.connect(routing);
    machine.context.setSysreg(sysreg.ICC_PMR_EL1, 0xf8n);
    machine.context.setSysreg(sysreg.ICC_IGRPEN1_EL1, 1n);
    machine.hcr(0);
  });

  it('go to EL1, unless HCR_EL2.IMO routes them', () => {
    routing.raise(40);
    expect(machine.runAt(Mode.El1h, [nop, DAIF_CLEAR_I, smc(1)])).toBe(IN_EL1 + SAME + 0x80);
    // EL1 cannot mask what goes to EL2.
    machine.hcr(Hcr.IMO);
    expect(machine.runAt(Mode.El1h, [nop, smc(1)])).toBe(LOWER + 0x80);
    expect(machine.el2('ELR')).toBe(BigInt(CODE));
  });

  it('of EL1 wait while the PE is at EL2, and those of EL2 by its mask', () => {
    routing.raise(40);
    expect(machine.runAt(Mode.El2h, [DAIF_CLEAR_I, nop, smc(1)])).toBe(1);
    machine.hcr(Hcr.IMO);
    expect(machine.runAt(Mode.El2h, [nop, smc(1)])).toBe(1);
    expect(machine.runAt(Mode.El2h, [DAIF_CLEAR_I, nop, smc(1)])).toBe(SAME + 0x80);
  });

  it('that are virtual go to EL1 when it does not mask them', () => {
    machine.hcr(Hcr.IMO | Hcr.VI);
    expect(machine.runAt(Mode.El1h, [nop, smc(1)])).toBe(1);
    expect(machine.runAt(Mode.El1h, [DAIF_CLEAR_I, smc(1)])).toBe(IN_EL1 + SAME + 0x80);
    expect(machine.runAt(Mode.El2h, [DAIF_CLEAR_I, nop, smc(1)])).toBe(1);
  });

  it('a virtual SError is taken once', () => {
    machine.hcr(Hcr.AMO | Hcr.VSE);
    const clearA = 0xd503_44ff;
    expect(machine.runAt(Mode.El1h, [clearA, smc(1)])).toBe(IN_EL1 + SAME + 0x180);
    expect(Number(machine.context.sysreg(sysreg.ESR_EL1)) >>> 26).toBe(ExceptionClass.SError);
    expect(machine.el2('HCR') & BigInt(Hcr.VSE)).toBe(0n);
  });

  it.each([
    ['CNTHP', sysreg.CNTHP_CTL_EL2, 26],
    ['CNTHV', sysreg.CNTHV_CTL_EL2, 28],
  ])('come from %s', (_name, control, intid) => {
    machine.context.setX(0, 1n);
    machine.runAt(Mode.El2h, [msr(control, 0), smc(1)]);
    expect(routing.levels.get(intid)).toBe(true);
    machine.context.setX(0, 0n);
    machine.runAt(Mode.El2h, [msr(control, 0), smc(1)]);
    expect(routing.levels.get(intid)).toBe(false);
  });

  describe('of list registers', () => {
    const IAR1 = sysreg.ICC_IAR1_EL1;
    const EOIR1 = sysreg.ICC_EOIR1_EL1;
    const lr = (n: number): number => encodeSysreg(3, 4, 12, 12, n);
    const ICH_HCR = encodeSysreg(3, 4, 12, 11, 0);
    const ICH_VMCR = encodeSysreg(3, 4, 12, 11, 7);
    const PENDING = 1n << 62n;
    const GROUP1 = 1n << 60n;
    const HW = 1n << 61n;
    const priority = (value: bigint): bigint => value << 48n;

    /** Sets registers of EL2 as EL2 does. */
    function write(...values: readonly (readonly [number, bigint])[]): void {
      for (const [encoding, value] of values) {
        machine.context.setX(0, value);
        expect(machine.runAt(Mode.El2h, [msr(encoding, 0), smc(1)])).toBe(1);
      }
    }
    function read(encoding: number): bigint {
      expect(machine.runAt(Mode.El2h, [mrs(0, encoding), smc(1)])).toBe(1);
      return machine.context.x(0);
    }
    beforeEach(() => {
      machine.hcr(Hcr.IMO);
      // Group 1 enabled, no priority masked.
      write([ICH_HCR, 1n], [ICH_VMCR, 2n | (0xf8n << 24n)]);
    });

    it('are acknowledged and ended by EL1, with that of the highest priority first', () => {
      write([lr(0), PENDING | GROUP1 | priority(0xa0n) | 100n], [lr(1), PENDING | GROUP1 | priority(0x80n) | 101n]);
      expect(machine.runAt(Mode.El1h, [DAIF_CLEAR_I, smc(1)])).toBe(IN_EL1 + SAME + 0x80);
      const next = [mrs(1, IAR1), msr(EOIR1, 1), mrs(2, IAR1), msr(EOIR1, 2), mrs(3, IAR1), smc(1)];
      expect(machine.runAt(Mode.El1h, next)).toBe(1);
      expect([1, 2, 3].map((n) => machine.context.x(n))).toEqual([101n, 100n, 1023n]);
      expect(read(lr(0)) >> 62n).toBe(0n);
      // All four list registers are free.
      expect(read(encodeSysreg(3, 4, 12, 11, 5))).toBe(15n);
    });

    it('wait while one of a higher priority is active', () => {
      write([lr(0), PENDING | GROUP1 | priority(0x80n) | 100n]);
      machine.runAt(Mode.El1h, [mrs(1, IAR1), smc(1)]);
      write([lr(1), PENDING | GROUP1 | priority(0xa0n) | 101n]);
      expect(machine.runAt(Mode.El1h, [DAIF_CLEAR_I, nop, smc(1)])).toBe(1);
      machine.context.setX(1, 100n);
      expect(machine.runAt(Mode.El1h, [DAIF_CLEAR_I, msr(EOIR1, 1), nop, smc(1)])).toBe(IN_EL1 + SAME + 0x80);
    });

    it('end the physical interrupt that they stand for', () => {
      write([lr(2), PENDING | HW | GROUP1 | (33n << 32n) | priority(0x80n) | 100n]);
      machine.runAt(Mode.El1h, [mrs(1, IAR1), msr(EOIR1, 1), smc(1)]);
      expect(routing.deactivated).toBe(33);
    });

    it('ask for maintenance when they are all free, or have ended', () => {
      write([ICH_HCR, 3n]);
      expect(routing.levels.get(25)).toBe(true);
      expect(read(encodeSysreg(3, 4, 12, 11, 2))).toBe(2n);
      write([lr(0), PENDING | GROUP1 | priority(0x80n) | 100n], [lr(1), PENDING | GROUP1 | priority(0x80n) | 101n]);
      expect(routing.levels.get(25)).toBe(false);
      // EOI without HW asks for it at the end.
      write([ICH_HCR, 1n], [lr(1), 0n], [lr(0), PENDING | GROUP1 | (1n << 41n) | priority(0x80n) | 100n]);
      machine.runAt(Mode.El1h, [mrs(1, IAR1), msr(EOIR1, 1), smc(1)]);
      expect(read(encodeSysreg(3, 4, 12, 11, 3))).toBe(1n);
      expect(routing.levels.get(25)).toBe(true);
    });

    it('are controlled by EL1 through ICH_VMCR_EL2', () => {
      const code = [movz(0, 0x50), msr(sysreg.ICC_PMR_EL1, 0), movz(0, 0), msr(sysreg.ICC_IGRPEN1_EL1, 0), smc(1)];
      machine.runAt(Mode.El1h, code);
      expect(read(ICH_VMCR) & 0xff00_0003n).toBe(0x5000_0000n);
      expect(machine.context.sysreg(sysreg.ICC_PMR_EL1)).toBe(0xf8n);
    });

    it.each([
      ['SGIs, with HCR_EL2.IMO', 1n, msr(sysreg.ICC_SGI1R_EL1, 0)],
      ['all of group 1, with TALL1', 1n | (1n << 12n), mrs(0, IAR1)],
      ['what both groups share, with TC', 1n | (1n << 10n), mrs(0, sysreg.ICC_PMR_EL1)],
      ['deactivation, with TDIR', 1n | (1n << 14n), msr(sysreg.ICC_DIR_EL1, 0)],
    ])('trap to EL2 %s', (_name, hcr, word) => {
      write([ICH_HCR, hcr]);
      expect(machine.runAt(Mode.El1h, [word, smc(1)])).toBe(LOWER);
      expect(Number(machine.el2('ESR')) >>> 26).toBe(ExceptionClass.Sysreg);
    });
  });
});
