import { expect, it } from 'vitest';

import { RunExit } from '../cpu/index.ts';
import {
  addImm,
  b,
  bCond,
  cbnzX,
  cbzX,
  eret,
  ldrX,
  ldxrX,
  movz,
  mrs,
  msr,
  strX,
  stxrX,
  subsImm,
  TestMachine,
  wfe,
} from '../cpu/testing/test-machine.ts';
import { SmpMachine } from './testing/smp-machine.ts';

const { CODE, DATA } = TestMachine;
const DAIFCLR_I = 0xd503_42ff;
const NE = 1;
const CNTV_TVAL_EL0 = 0xdf18;
const CNTV_CTL_EL0 = 0xdf19;
const PMCNTENSET_EL0 = 0xdce1;
const PMCR_EL0 = 0xdce0;
const PMCCNTR_EL0 = 0xdce8;
const DATA_BYTES = 512;

/** Four vCPUs that take a lock of exclusives and WFE, each with a timer that interrupts it, and a cycle counter. */
function contended(): SmpMachine {
  const machine = new SmpMachine(4, { quantum: 333 });
  const arm = [movz(10, 30), msr(CNTV_TVAL_EL0, 10), movz(10, 1), msr(CNTV_CTL_EL0, 10)];
  machine.vector(0x280, [addImm(20, 20, 1), ...arm, eret]);
  const enable = [movz(9, 0x8000, 1), msr(PMCNTENSET_EL0, 9), movz(9, 1), msr(PMCR_EL0, 9)];
  const section = [ldrX(3, 1), movz(7, 20), subsImm(7, 7, 1), bCond(NE, -4), addImm(3, 3, 1), strX(3, 1)];
  const acquire = [movz(4, 1), ldxrX(5, 0), cbzX(5, 12), wfe, b(-12), stxrX(6, 4, 0), cbnzX(6, -20)];
  const body = [...acquire, ...section, strX(31, 0)];
  const start = [movz(0, DATA >> 16, 1), addImm(1, 0, 256), movz(2, 100)];
  const code = [...enable, ...arm, DAIFCLR_I, ...start, ...body, subsImm(2, 2, 1), bCond(NE, -(body.length + 1) * 4)];
  for (const index of [0, 1, 2, 3]) machine.program(index, [...code, mrs(21, PMCCNTR_EL0)]);
  return machine;
}

function save(machine: SmpMachine): unknown {
  const { cpu, gic, scheduler, firmware, memory } = machine;
  const at = machine.offset(DATA);
  const data = memory.u8.slice(at, at + DATA_BYTES);
  return structuredClone({
    cpu: cpu.save(),
    gic: gic.save(),
    scheduler: scheduler.save(),
    firmware: firmware.save(),
    data,
  });
}

function restore(machine: SmpMachine, saved: unknown): void {
  const state = saved as { cpu: never; gic: never; scheduler: never; firmware: never; data: Uint8Array };
  const at = machine.offset(DATA);
  machine.memory.u8.set(state.data, at);
  machine.cpu.wrote(at, state.data.length);
  machine.cpu.restore(state.cpu);
  machine.gic.restore(state.gic);
  machine.firmware.restore(state.firmware);
  machine.scheduler.restore(state.scheduler);
}

/** Runs to the end. @returns everything that can be seen */
function finish(machine: SmpMachine): unknown {
  machine.log.length = 0;
  const log = [...machine.run()];
  const registers = machine.vcpus.map(({ active, work }) => [active.x(20), active.x(21), active.pc, work]);
  return [log, registers, machine.data(256)];
}

it('goes on exactly from any point, on the same machine and on another', () => {
  const points = [1, 1000, 7003, 20_011, 33_333, 50_001, 64_123, 80_007];
  for (const point of points) {
    const machine = contended();
    // Vcpus that end are stopped, as `run` does.
    machine.run(977, point);
    const saved = save(machine);
    expect(save(machine)).toEqual(saved);
    const end = finish(machine);
    expect(machine.data(256)).toBe(400n);
    restore(machine, saved);
    expect(save(machine)).toEqual(saved);
    expect(finish(machine)).toEqual(end);
    const other = contended();
    other.scheduler.run(12_345);
    restore(other, saved);
    expect(finish(other)).toEqual(end);
  }
});

it('keeps an exclusive monitor, which a change of vCPU would clear', () => {
  const code = [movz(0, DATA >> 16, 1), ldxrX(1, 0), movz(2, 5000), subsImm(2, 2, 1), bCond(NE, -4), stxrX(3, 1, 0)];
  const machine = new SmpMachine(2);
  machine.program(0, code);
  machine.program(1, [wfe]);
  expect(machine.scheduler.run(2000)).toBe(RunExit.Budget);
  const saved = save(machine);
  const other = new SmpMachine(2);
  other.write(CODE, code);
  restore(other, saved);
  other.run();
  expect(other.vcpu.active.x(2)).toBe(0n);
  expect(other.vcpu.active.x(3)).toBe(0n);
});
