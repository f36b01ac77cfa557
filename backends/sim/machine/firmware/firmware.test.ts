import { describe, expect, it } from 'vitest';

import { b, hvc, mrs, movk, movz, msr, smc, TestMachine, wfi } from '../../cpu/testing/test-machine.ts';
import { SmpMachine } from '../testing/smp-machine.ts';

const { CODE } = TestMachine;
const CNTV_TVAL_EL0 = 0xdf18;
const CNTV_CTL_EL0 = 0xdf19;
const Psci = {
  VERSION: 0x8400_0000,
  CPU_SUSPEND: 0xc400_0001,
  CPU_OFF: 0x8400_0002,
  CPU_ON: 0xc400_0003,
  AFFINITY_INFO: 0xc400_0004,
  SYSTEM_OFF: 0x8400_0008,
  SYSTEM_RESET: 0x8400_0009,
  FEATURES: 0x8400_000a,
  SYSTEM_RESET2: 0xc400_0012,
} as const;
const POWER_DOWN = 1n << 16n;
const NOT_SUPPORTED = -1n;
const INVALID_PARAMETERS = -2n;
const ALREADY_ON = -4n;
const INVALID_ADDRESS = -9n;

/** Makes a call on the first vCPU of a machine. @returns X0 to X3, the first as a signed number */
function call(machine: SmpMachine, id: number, ...args: readonly bigint[]): readonly bigint[] {
  const [vcpu] = machine.vcpus;
  if (vcpu === undefined) throw new RangeError('no vCPU');
  [BigInt(id), ...args].forEach((value, n) => {
    vcpu.active.setX(n, value);
  });
  machine.event = machine.firmware.call(vcpu);
  const [first, ...others] = [0, 1, 2, 3].map((n) => vcpu.active.x(n));
  return [BigInt.asIntN(64, first ?? 0n), ...others];
}
const result = (machine: SmpMachine, id: number, ...args: readonly bigint[]): bigint | undefined =>
  call(machine, id, ...args)[0];

/** A machine whose first vCPU is on. */
function powered(count = 3): SmpMachine {
  const machine = new SmpMachine(count);
  machine.program(0, [wfi]);
  return machine;
}

/** Loads a constant of 32 bits. */
const load = (rd: number, value: number): number[] => [movz(rd, value & 0xffff), movk(rd, value >>> 16, 1)];

describe('Firmware', () => {
  it('is PSCI 1.1 with SMCCC 1.2, and says what it has', () => {
    const machine = powered();
    expect(result(machine, Psci.VERSION)).toBe(0x1_0001n);
    expect(result(machine, 0x8000_0000)).toBe(0x1_0002n);
    expect(result(machine, 0x8400_0006)).toBe(2n);
    const has = [...Object.values(Psci), 0x8400_0001, 0x8400_0003, 0x8400_0004, 0x8400_0006, 0x8400_0012, 0x8000_0000];
    for (const id of has) expect(result(machine, Psci.FEATURES, BigInt(id)), id.toString(16)).toBe(0n);
    const hasNot = [5, 7, 0xb, 0xc, 0xd, 0xe, 0xf, 0x10, 0x11, 0x13].map((n) => 0x8400_0000 + n);
    for (const id of [...hasNot, 0xc400_0000, 0xc400_0008, 0x0400_0000, 0x8402_0000, 0x8600_ff01, 0x8000_0001]) {
      expect(result(machine, Psci.FEATURES, BigInt(id)), id.toString(16)).toBe(NOT_SUPPORTED);
    }
    for (const id of [...hasNot, 0xc400_0000, 0x0400_0000, 0x8402_0000, 0x8600_ff01, 0xffff_ffff]) {
      expect(result(machine, id), id.toString(16)).toBe(NOT_SUPPORTED);
      expect(machine.firmware.has(id)).toBe(false);
    }
    expect(result(machine, 0x8000_0001, 0x8000_0000n)).toBe(0n);
    expect(result(machine, 0x8000_0001, 0x8000_8000n)).toBe(1n);
    expect(result(machine, 0x8000_0001, 0x8400_0000n)).toBe(NOT_SUPPORTED);
    // The hint of SMCCC 1.3 is no part of the identifier.
    expect(result(machine, 0x8401_0000)).toBe(0x1_0001n);
  });

  it('turns a PE on at an entry point with a context, and off', () => {
    const machine = powered();
    machine.program(1, [mrs(1, 0xc005), mrs(2, 0xc212), mrs(4, 0xda11), ...load(0, Psci.CPU_OFF), smc(0), hvc(9)]);
    machine.scheduler.stop(machine.vcpus[1] ?? machine.vcpu);
    const on = (target: bigint, entry = BigInt(CODE + 0x200)): bigint | undefined =>
      result(machine, Psci.CPU_ON, target, entry, 0x1234_5678_9abc_def0n);
    expect([on(3n), on(1n << 24n), on(1n << 31n)]).toEqual([-2n, -2n, -2n]);
    expect([on(1n, 0x40_0000n), on(1n, BigInt(CODE + 2))]).toEqual([INVALID_ADDRESS, INVALID_ADDRESS]);
    expect(on(0n)).toBe(ALREADY_ON);
    expect(result(machine, Psci.AFFINITY_INFO, 1n, 0n)).toBe(1n);
    machine.vcpus[1]?.active.setX(5, 5n);
    expect(on(1n)).toBe(0n);
    expect(on(1n)).toBe(ALREADY_ON);
    expect(result(machine, Psci.AFFINITY_INFO, 1n, 0n)).toBe(0n);
    machine.run();
    const { active } = machine.vcpus[1] ?? machine.vcpu;
    expect([1, 2, 4, 5].map((n) => active.x(n))).toEqual([0x8000_0001n, 4n, 0x3c0n, 0n]);
    expect(result(machine, Psci.AFFINITY_INFO, 1n, 0n)).toBe(1n);
    expect(result(machine, Psci.AFFINITY_INFO, 0n, 1n)).toBe(0n);
    expect([result(machine, Psci.AFFINITY_INFO, 9n, 0n), result(machine, Psci.AFFINITY_INFO, 0n, 4n)]).toEqual([
      INVALID_PARAMETERS,
      INVALID_PARAMETERS,
    ]);
    // Once more, from reset.
    expect(on(1n)).toBe(0n);
    machine.run();
    expect(active.x(1)).toBe(0x8000_0001n);
  });

  it('passes a context of 32 bits by SMC32', () => {
    const machine = powered();
    machine.program(1, [hvc(1)]);
    machine.scheduler.stop(machine.vcpus[1] ?? machine.vcpu);
    expect(result(machine, 0x8400_0003, 0xdead_0000_0000_0001n, BigInt(CODE + 0x200), 0xdead_0000_0000_0007n)).toBe(0n);
    expect(machine.vcpus[1]?.active.x(0)).toBe(7n);
  });

  it.each([0, 1])(
    'suspends to standby until an interrupt is pending, whatever PSTATE masks (power down: %i)',
    (down) => {
      for (const budget of [1, 100, 1_000_000]) {
        const machine = new SmpMachine(2);
        const timer = [movz(1, 5000), msr(CNTV_TVAL_EL0, 1), movz(1, 1), msr(CNTV_CTL_EL0, 1)];
        const call = [...load(0, Psci.CPU_SUSPEND), movz(1, down, 1), ...load(2, CODE + 0x800), movz(3, 77), smc(0)];
        machine.program(0, [...timer, ...call]);
        machine.write(CODE + 0x800, [hvc(5)]);
        const log = machine.run(budget);
        expect(log).toEqual([
          down === 1 ? expect.stringMatching(/^0: 5 at/) : expect.stringMatching(/^0: 0 at/),
          expect.stringMatching(/^end at 500\d\d$/),
        ]);
        expect(machine.vcpu.active.x(0)).toBe(down === 1 ? 77n : 0n);
      }
    },
  );

  it('refuses states that it cannot suspend to', () => {
    const machine = powered();
    const suspend = (state: bigint, entry = 0n): bigint | undefined =>
      result(machine, Psci.CPU_SUSPEND, state, entry, 0n);
    expect([suspend(1n << 17n), suspend(1n << 26n), suspend(1n << 32n)]).toEqual([-2n, -2n, -2n]);
    expect([suspend(POWER_DOWN, 0x40_0000n), suspend(POWER_DOWN, 2n)]).toEqual([INVALID_ADDRESS, INVALID_ADDRESS]);
    expect(machine.firmware.save().power).toEqual([]);
  });

  it('reports what a guest asks of the machine', () => {
    const machine = powered();
    const event = (id: number, ...args: bigint[]): unknown => {
      call(machine, id, ...args);
      return machine.event;
    };
    expect(event(Psci.SYSTEM_OFF)).toEqual({ kind: 'power-off' });
    expect(event(Psci.SYSTEM_RESET)).toEqual({ kind: 'reset', warm: false });
    expect(event(Psci.SYSTEM_RESET2, 0n)).toEqual({ kind: 'reset', warm: true });
    expect(event(Psci.SYSTEM_RESET2, 1n)).toBeUndefined();
    expect(machine.vcpu.active.x(0)).toBe(BigInt.asUintN(64, INVALID_PARAMETERS));
    const running = new SmpMachine(1);
    running.program(0, [...load(0, Psci.SYSTEM_OFF), smc(0), b(0)]);
    running.run();
    expect(running.event).toEqual({ kind: 'power-off' });
  });

  it('gives random numbers, the same for the same seed, of as many bits as are asked for', () => {
    const random = (bits: bigint, id = 0xc400_0053): readonly bigint[] => call(powered(), id, bits);
    expect(result(powered(), 0x8400_0050)).toBe(0x1_0000n);
    expect(result(powered(), 0x8400_0051, 0xc400_0053n)).toBe(0n);
    expect(result(powered(), 0x8400_0051, 0x8400_0000n)).toBe(NOT_SUPPORTED);
    expect(random(192n)).toEqual(random(192n));
    expect(new Set(random(192n)).size).toBe(4);
    const [status, high, middle, low] = random(70n);
    expect([status, high]).toEqual([0n, 0n]);
    expect(middle).toBeLessThan(64n);
    expect(low).toBeGreaterThan(1n << 48n);
    expect([random(0n)[0], random(193n)[0], random(97n, 0x8400_0053)[0]]).toEqual([-2n, -2n, -2n]);
    expect(
      random(96n, 0x8400_0053)
        .slice(1)
        .every((word) => word < 1n << 32n),
    ).toBe(true);
    const machine = powered();
    const state = structuredClone(machine.firmware.save());
    const once = call(machine, 0xc400_0053, 64n);
    expect(call(machine, 0xc400_0053, 64n)).not.toEqual(once);
    machine.firmware.restore(state);
    expect(call(machine, 0xc400_0053, 64n)).toEqual(once);
  });

  it('resumes from power-down after its state was restored', () => {
    const machine = powered(1);
    machine.write(CODE + 0x800, [hvc(5)]);
    call(machine, Psci.CPU_SUSPEND, POWER_DOWN, BigInt(CODE + 0x800), 77n);
    const state = structuredClone([machine.firmware.save(), machine.scheduler.save()] as const);
    const other = powered(1);
    other.write(CODE + 0x800, [hvc(5)]);
    other.firmware.restore(state[0]);
    other.scheduler.restore(state[1]);
    other.gic.pe(0).setLevel(27, true);
    expect(other.run()[0]).toMatch(/^0: 5 at/);
    expect(other.vcpu.active.x(0)).toBe(77n);
  });
});
