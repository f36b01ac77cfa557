import { describe, expect, it } from 'vitest';

import { type InterruptGroup, NO_INTERRUPT } from '../gic/interrupt-routing.ts';
import { OneInterrupt } from '../testing/one-interrupt.ts';
import {
  addImm,
  b,
  ELR_EL1,
  eret,
  hvc,
  movz,
  mrs,
  msr,
  nop,
  SPSR_EL1,
  TestMachine,
  VBAR_EL1,
  wfi,
} from '../testing/test-machine.ts';
import { RunExit } from '../types.ts';
import { sysreg } from './system-registers.ts';

const { CODE, VECTORS } = TestMachine;
const DAIFCLR_IF = 0xd503_43ff;
const I_AND_F = 0xc0;

function machineWith(group: InterruptGroup = 1): { machine: TestMachine; routing: OneInterrupt } {
  const machine = new TestMachine();
  const routing = new OneInterrupt();
  routing.irqGroup = group;
  machine.vcpu.connect(routing);
  machine.context.setSysreg(sysreg.ICC_PMR_EL1, 0xf8n);
  machine.context.setSysreg(sysreg.ICC_IGRPEN0_EL1, 1n);
  machine.context.setSysreg(sysreg.ICC_IGRPEN1_EL1, 1n);
  return { machine, routing };
}

/** Runs to the HVC in a vector. @returns its offset among the vectors */
function vectorTaken(machine: TestMachine): number {
  expect(machine.vcpu.run(1000)).toBe(RunExit.Sync);
  return machine.vcpu.exit.esr & 0xffff;
}

describe('interrupts', () => {
  it.each([
    ['IRQ', 1, 0x280, 0x80n],
    ['FIQ', 0, 0x300, 0x40n],
  ] as const)('takes an %s right after the instruction that opens the mask', (_kind, group, vector, isr) => {
    const { machine, routing } = machineWith(group);
    routing.raise(40);
    machine.load([nop, mrs(1, sysreg.ISR_EL1), DAIFCLR_IF, movz(0, 1), hvc(0)]);
    const before = machine.context.pstate;
    expect(vectorTaken(machine)).toBe(vector);
    expect(machine.context.sysreg(ELR_EL1)).toBe(BigInt(CODE + 12));
    expect(machine.context.sysreg(SPSR_EL1)).toBe(BigInt(before & ~I_AND_F));
    expect(machine.context.pstate & 0x3cf).toBe(0x3c5);
    expect([machine.context.x(0), machine.context.x(1)]).toEqual([0n, isr]);
  });

  it('takes one at EL0, right after the exception return, where EL0 does not mask it', () => {
    const { machine, routing } = machineWith();
    routing.raise(40);
    machine.context.setSysreg(ELR_EL1, BigInt(CODE + 8));
    machine.context.setSysreg(SPSR_EL1, 0n);
    machine.load([eret, nop, movz(0, 1)]);
    expect(vectorTaken(machine)).toBe(0x480);
    expect(machine.context.sysreg(ELR_EL1)).toBe(BigInt(CODE + 8));
    expect(machine.context.x(0)).toBe(0n);
  });

  it('takes none that PSTATE, a group enable or PMR masks', () => {
    for (const register of [undefined, sysreg.ICC_IGRPEN1_EL1, sysreg.ICC_PMR_EL1]) {
      const { machine, routing } = machineWith();
      routing.raise(40);
      machine.load([
        register === undefined ? nop : msr(register, 31),
        register === undefined ? nop : DAIFCLR_IF,
        nop,
        hvc(7),
      ]);
      expect(vectorTaken(machine)).toBe(7);
    }
  });

  it('acknowledges, raises the running priority, and ends', () => {
    const { machine, routing } = machineWith();
    routing.raise(40);
    machine.load([
      mrs(0, sysreg.ICC_IAR1_EL1),
      mrs(1, sysreg.ICC_RPR_EL1),
      mrs(2, sysreg.ICC_AP1R0_EL1),
      mrs(3, sysreg.ICC_IAR1_EL1),
      msr(sysreg.ICC_EOIR1_EL1, 0),
      mrs(4, sysreg.ICC_RPR_EL1),
      hvc(0),
    ]);
    vectorTaken(machine);
    expect([0, 1, 2, 3, 4].map((n) => machine.context.x(n))).toEqual([40n, 0x80n, 1n << 16n, 1023n, 0xffn]);
  });

  it('keeps trapping what distributes interrupts to EL2 without an interrupt controller', () => {
    const machine = new TestMachine();
    machine.load([msr(sysreg.ICC_SGI1R_EL1, 31)]);
    expect(machine.vcpu.run(100)).toBe(RunExit.Sync);
    expect(machine.vcpu.exit.ec).toBe(0x18);
  });

  it.each(['CNTV', 'CNTP'] as const)(
    'takes the interrupt of %s at the same instruction in runs of any length',
    (timer) => {
      const interrupted = (budget: number): readonly unknown[] => {
        const { machine } = machineWith();
        machine.load([
          movz(1, 20_000),
          movz(2, 1),
          msr(sysreg[`${timer}_TVAL_EL0`], 1),
          msr(sysreg[`${timer}_CTL_EL0`], 2),
          DAIFCLR_IF,
          addImm(0, 0, 1),
          nop,
          b(-8),
        ]);
        let exit: RunExit = RunExit.Budget;
        while (exit === RunExit.Budget) exit = machine.vcpu.run(budget);
        const { context, vcpu, cpu } = machine;
        return [exit, vcpu.exit.esr & 0xffff, context.x(0), context.sysreg(ELR_EL1), vcpu.retired, cpu.clock.now];
      };
      const once = interrupted(1_000_000);
      expect(once[1]).toBe(0x280);
      expect(Number(once[2])).toBeGreaterThan(60_000);
      for (const budget of [1, 100, 997, 12_345]) expect(interrupted(budget)).toEqual(once);
    },
  );

  it('raises and lowers the line of a timer with its condition, its mask and its enable bit', () => {
    const { machine, routing } = machineWith();
    const level = (...code: number[]): boolean | undefined => {
      machine.context.pc = BigInt(CODE);
      machine.load([...code, hvc(0)]);
      vectorTaken(machine);
      return routing.levels.get(27);
    };
    const control = (value: number): boolean | undefined => level(movz(1, value), msr(sysreg.CNTV_CTL_EL0, 1));
    expect(control(1)).toBe(true);
    expect(control(3)).toBe(false);
    expect(control(1)).toBe(true);
    expect(level(movz(1, 1, 3), msr(sysreg.CNTV_CVAL_EL0, 1))).toBe(false);
    expect(level(msr(sysreg.CNTV_TVAL_EL0, 31))).toBe(true);
    expect(control(0)).toBe(false);
  });

  it('has an interrupt pending in WFI whatever PSTATE masks', () => {
    const { machine, routing } = machineWith();
    machine.load([wfi, hvc(1)]);
    routing.raise(40);
    expect(machine.vcpu.run(100)).toBe(RunExit.Wait);
    expect(machine.vcpu.interruptPending).toBe(true);
    expect(vectorTaken(machine)).toBe(1);
    routing.raise(NO_INTERRUPT);
    expect(machine.vcpu.interruptPending).toBe(false);
  });

  it('uses up the budget even if the vector is interrupted at once', () => {
    const { machine, routing } = machineWith();
    routing.raise(40);
    machine.write(VECTORS + 0x280, [DAIFCLR_IF, nop]);
    machine.load([DAIFCLR_IF, nop]);
    expect(machine.context.sysreg(VBAR_EL1)).toBe(BigInt(VECTORS));
    expect(machine.vcpu.run(10_000)).toBe(RunExit.Budget);
  });
});
