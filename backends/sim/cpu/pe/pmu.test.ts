import { describe, expect, it } from 'vitest';

import type { InterruptRouting } from '../gic/interrupt-routing.ts';
import {
  addImm,
  b,
  bCond,
  ELR_EL1,
  eret,
  ESR_EL1,
  hvc,
  movk,
  movz,
  mrs,
  msr,
  nop,
  SPSR_EL1,
  subsImm,
  svc,
  TestMachine,
  wfi,
} from '../testing/test-machine.ts';
import { NO_INTERRUPT, RunExit } from '../types.ts';
import { encodeSysreg, sysreg } from './system-registers.ts';

const { CODE } = TestMachine;
const DAIFCLR_I = 0xd503_42ff;
const NE = 1;
const CYCLES = 1 << 31;
const INST_RETIRED = 8;
const CHAIN = 0x1e;
const { PMCR_EL0, PMCNTENSET_EL0, PMCCNTR_EL0, PMOVSSET_EL0, PMINTENSET_EL1, PMUSERENR_EL0 } = sysreg;
const { PMCCFILTR_EL0 } = sysreg;
const [PMEVCNTR0_EL0, PMEVCNTR1_EL0] = [encodeSysreg(3, 3, 14, 8, 0), encodeSysreg(3, 3, 14, 8, 1)];
const [PMEVTYPER0_EL0, PMEVTYPER1_EL0] = [encodeSysreg(3, 3, 14, 12, 0), encodeSysreg(3, 3, 14, 12, 1)];

/** An interrupt controller with the PPI of the PMU alone. */
class PmuInterrupt implements InterruptRouting {
  onChange: (() => void) | undefined;
  pending = false;
  enableGroups(): void {
    // One PE takes all.
  }
  highest(): number {
    return this.pending ? 23 : NO_INTERRUPT;
  }
  priority(): number {
    return 0x80;
  }
  group(): 1 {
    return 1;
  }
  acknowledge(): void {
    // A level stays.
  }
  deactivate(): void {
    // A level stays.
  }
  generate(): void {
    // No SGIs.
  }
  setLevel(intid: number, level: boolean): void {
    if (intid !== 23) return;
    this.pending = level;
    this.onChange?.();
  }
}

function monitored(): { machine: TestMachine; interrupt: PmuInterrupt } {
  const machine = new TestMachine();
  const interrupt = new PmuInterrupt();
  machine.vcpu.connect(interrupt);
  machine.context.setSysreg(sysreg.ICC_PMR_EL1, 0xf8n);
  machine.context.setSysreg(sysreg.ICC_IGRPEN1_EL1, 1n);
  return { machine, interrupt };
}

/** MSR of a constant of 32 bits. */
const set = (register: number, value: number): number[] => [
  movz(9, value & 0xffff),
  movk(9, value >>> 16, 1),
  msr(register, 9),
];

/** Runs code to an HVC. */
function execute(machine: TestMachine, code: readonly number[], budget = 1_000_000): void {
  machine.context.pc = BigInt(CODE);
  machine.load([...code, hvc(0x7777)]);
  for (let runs = 0; runs < 500_000; runs += 1) if (machine.vcpu.run(budget) !== RunExit.Budget) return;
  throw new RangeError('the code did not end');
}
const x = (machine: TestMachine, ...numbers: number[]): bigint[] => numbers.map((n) => machine.context.x(n));

describe('the performance monitors', () => {
  it('are PMUv3 with six event counters where interrupts can be delivered, and absent elsewhere', () => {
    const { machine } = monitored();
    const code = [mrs(0, sysreg.ID_AA64DFR0_EL1), mrs(1, PMCR_EL0), mrs(2, sysreg.PMCEID0_EL0)];
    execute(machine, code);
    expect([(machine.context.x(0) >> 8n) & 15n, (machine.context.x(1) >> 11n) & 31n]).toEqual([1n, 6n]);
    expect(machine.context.x(2)).toBe((1n << 0n) | (1n << 8n) | (1n << 0x11n) | (1n << 0x1en));
    const alone = new TestMachine();
    execute(alone, code);
    expect([(alone.context.x(0) >> 8n) & 15n, alone.context.x(2)]).toEqual([0n, 0n]);
  });

  it('count each instruction as a cycle while they are enabled', () => {
    const { machine } = monitored();
    const enable = [...set(PMCNTENSET_EL0, CYCLES), ...set(PMCR_EL0, 7)];
    const loop = [movz(5, 1000), subsImm(5, 5, 1), bCond(NE, -4)];
    execute(machine, [
      mrs(0, PMCCNTR_EL0),
      ...enable,
      mrs(1, PMCCNTR_EL0),
      nop,
      mrs(2, PMCCNTR_EL0),
      ...loop,
      mrs(3, PMCCNTR_EL0),
      ...set(PMCR_EL0, 0),
      mrs(4, PMCCNTR_EL0),
      nop,
      mrs(6, PMCCNTR_EL0),
    ]);
    // The MSR that enables is the first that is counted, since it retires afterwards.
    expect(x(machine, 0, 1, 2, 3)).toEqual([0n, 1n, 3n, 3n + 1n + 2001n]);
    expect(machine.context.x(4)).toBe(machine.context.x(6));
  });

  it('count at the Exception levels that a filter includes', () => {
    for (const budget of [1, 50, 1_000_000]) {
      const { machine } = monitored();
      const EL0_CODE = CODE + 0x800;
      machine.write(EL0_CODE, [movz(5, 100), subsImm(5, 5, 1), bCond(NE, -4), svc(0)]);
      machine.write(TestMachine.VECTORS + 0x400, [
        mrs(0, PMEVCNTR0_EL0),
        mrs(1, PMEVCNTR1_EL0),
        mrs(2, PMCCNTR_EL0),
        hvc(0),
      ]);
      execute(
        machine,
        [
          ...set(PMEVTYPER0_EL0, 0x8000_0000 | INST_RETIRED),
          ...set(PMEVTYPER1_EL0, 0x4000_0000 | INST_RETIRED),
          ...set(PMCCFILTR_EL0, 0xc000_0000),
          ...set(PMCNTENSET_EL0, CYCLES | 3),
          movz(6, 0),
          msr(SPSR_EL1, 6),
          ...set(ELR_EL1, EL0_CODE),
          ...set(PMCR_EL0, 1),
          eret,
        ],
        budget,
      );
      // The MSR and the ERET, and an MRS, at EL1.
      expect(x(machine, 0, 1, 2)).toEqual([202n, 3n, 0n]);
    }
  });

  it('interrupt at the overflow, at the same instruction in runs of any length', () => {
    const interrupted = (budget: number): readonly unknown[] => {
      const { machine, interrupt } = monitored();
      machine.write(TestMachine.VECTORS + 0x280, [mrs(1, PMOVSSET_EL0), mrs(2, PMEVCNTR0_EL0), hvc(1)]);
      execute(
        machine,
        [
          ...set(PMEVTYPER0_EL0, INST_RETIRED),
          ...set(PMEVCNTR0_EL0, 0x1_0000_0000 - 30_000),
          ...set(PMINTENSET_EL1, 1),
          ...set(PMCNTENSET_EL0, 1),
          DAIFCLR_I,
          ...set(PMCR_EL0, 1),
          addImm(0, 0, 1),
          nop,
          b(-8),
        ],
        budget,
      );
      return [x(machine, 0, 1, 2), machine.vcpu.retired, machine.cpu.clock.now, interrupt.pending];
    };
    const once = interrupted(1_000_000);
    expect(once[0]).toEqual([10_000n, 1n, 2n]);
    for (const budget of [1, 77, 997, 12_345]) expect(interrupted(budget)).toEqual(once);
  });

  it('lower the interrupt when the overflow is cleared, and do not run in WFI', () => {
    const { machine, interrupt } = monitored();
    const overflow = [...set(PMOVSSET_EL0, 1), ...set(PMINTENSET_EL1, 1), ...set(PMCR_EL0, 1)];
    execute(machine, overflow);
    expect(interrupt.pending).toBe(true);
    execute(machine, set(sysreg.PMOVSCLR_EL0, 1));
    expect(interrupt.pending).toBe(false);
    execute(machine, [
      ...set(PMCCNTR_EL0, 0),
      ...set(PMCNTENSET_EL0, CYCLES | 1),
      ...set(PMEVTYPER0_EL0, INST_RETIRED),
    ]);
    machine.load([wfi, mrs(3, PMCCNTR_EL0), hvc(0)]);
    machine.context.pc = BigInt(CODE);
    machine.vcpu.run(100);
    expect(machine.cpu.clock.next).toBe(Infinity);
    machine.cpu.clock.advance(1_000_000);
    machine.vcpu.run(1000);
    expect(machine.context.x(3)).toBeLessThan(100n);
  });

  it('chain two counters, and count what software increments', () => {
    const { machine } = monitored();
    execute(machine, [
      ...set(PMEVTYPER0_EL0, 0),
      ...set(PMEVTYPER1_EL0, CHAIN),
      ...set(PMEVCNTR0_EL0, 0xffff_ffff),
      ...set(PMCNTENSET_EL0, 3),
      ...set(PMCR_EL0, 1),
      ...set(sysreg.PMSWINC_EL0, 3),
      ...set(sysreg.PMSWINC_EL0, 1),
      mrs(0, PMEVCNTR0_EL0),
      mrs(1, PMEVCNTR1_EL0),
      mrs(2, PMOVSSET_EL0),
      ...set(sysreg.PMSELR_EL0, 1),
      mrs(3, sysreg.PMXEVCNTR_EL0),
      mrs(4, sysreg.PMXEVTYPER_EL0),
      ...set(sysreg.PMSELR_EL0, 9),
      mrs(5, sysreg.PMXEVCNTR_EL0),
    ]);
    expect(x(machine, 0, 1, 2, 3, 4, 5)).toEqual([1n, 1n, 1n, 1n, 0x1en, 0n]);
  });

  it('let EL0 do what PMUSERENR_EL0 says, and trap the rest to EL1', () => {
    const accesses: readonly [number, boolean, readonly number[]][] = [
      // Each with the values of PMUSERENR_EL0 that permit it, of 0, EN, SW, CR and ER.
      [PMCCNTR_EL0, false, [1, 4]],
      [PMCCNTR_EL0, true, [1]],
      [PMEVCNTR0_EL0, false, [1, 8]],
      [PMEVCNTR0_EL0, true, [1]],
      [sysreg.PMSELR_EL0, true, [1, 8]],
      [sysreg.PMSWINC_EL0, true, [1, 2]],
      [PMCR_EL0, false, [1]],
      [PMUSERENR_EL0, false, [0, 1, 2, 4, 8]],
    ];
    for (const [register, write, permitted] of accesses) {
      for (const userenr of [0, 1, 2, 4, 8]) {
        const { machine } = monitored();
        machine.context.setSysreg(PMUSERENR_EL0, BigInt(userenr));
        machine.context.pstate = 0;
        execute(machine, [write ? msr(register, 31) : mrs(0, register), svc(0)]);
        const ec = (machine.context.sysreg(ESR_EL1) ?? 0n) >> 26n;
        expect(ec, `0x${register.toString(16)} ${String(write)} ${String(userenr)}`).toBe(
          permitted.includes(userenr) ? 0x15n : 0x18n,
        );
      }
    }
  });
});
