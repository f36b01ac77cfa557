import { beforeEach, describe, expect, it } from 'vitest';

import { sysreg } from '../pe/system-registers.ts';
import { MappedMachine } from '../testing/mapped-machine.ts';
import { Descriptor, Tcr } from '../testing/table-builder.ts';
import { hvc, isb, ldrX, mrs, strX, svc, TestMachine } from '../testing/test-machine.ts';
import { ExceptionClass, Permission, RunExit } from '../types.ts';

const { CODE, DATA } = TestMachine;
const { AccessFlag, DirtyBitModifier, Page, ReadOnly, User } = Descriptor;
const VA = 0x5_0000;
const { Ha, Hd } = Tcr;
const TLBI_VMALLE1 = 0xd508_871f;
const TABLE = 0x4_2000;

let machine: MappedMachine;
beforeEach(() => {
  machine = new MappedMachine();
  machine.poke(DATA, 7n);
  machine.context.setX(1, BigInt(VA));
});

function set(descriptor: bigint): void {
  machine.poke(machine.descriptorAt(0, VA), BigInt(DATA) | Page | descriptor);
}
function descriptor(): bigint {
  return machine.peek(machine.descriptorAt(0, VA)) - (BigInt(DATA) | Page);
}

/** Runs words at EL1 or EL0. @returns ESR_EL1 in words if one of them faults, else nothing */
function run(words: readonly number[], el: 0 | 1 = 1): string | undefined {
  machine.load([...words, el === 0 ? svc(0) : hvc(0)]);
  machine.context.pc = BigInt(CODE);
  machine.context.pstate = el === 0 ? 0 : 0x3c5 | (machine.context.pstate & (1 << 22));
  let exit: RunExit = RunExit.Budget;
  for (let slice = 0; slice < 100 && exit === RunExit.Budget; slice += 1) exit = machine.vcpu.run(100_000);
  expect(exit).toBe(RunExit.Sync);
  if (machine.vcpu.exit.ec !== ExceptionClass.Hvc64) return `EL2: ${machine.vcpu.exit.esr.toString(16)}`;
  const esr = Number(machine.context.sysreg(sysreg.ESR_EL1));
  if (machine.context.pc === BigInt(CODE + (words.length + 1) * 4) || esr >>> 26 === ExceptionClass.Svc64) return;
  return esr.toString(16);
}

describe('the access flag', () => {
  it('is set by hardware at the first access, where TCR_EL1.HA says so', () => {
    set(0n);
    expect(run([ldrX(2, 1)])).toBe('9600000b');
    expect(descriptor()).toBe(0n);
    machine.enable(machine.context, Ha);
    expect(run([ldrX(2, 1)])).toBeUndefined();
    expect([machine.context.x(2), descriptor()]).toEqual([7n, AccessFlag]);
  });

  it('is set by a fetch, and not by looking ahead, by AT or by cache maintenance', () => {
    machine.enable(machine.context, Ha);
    const next = machine.descriptorAt(0, CODE + 4096);
    const page = BigInt(CODE + 4096) | Page | ReadOnly;
    machine.poke(next, page);
    // A branch that is decoded and never taken.
    expect(run([TLBI_VMALLE1, isb, 0xb500_7fdf, 0xd503_201f])).toBeUndefined();
    expect(machine.peek(next)).toBe(page);
    machine.write(CODE + 4096, [hvc(9)]);
    machine.context.pc = BigInt(CODE + 4096);
    machine.vcpu.run(100_000);
    expect(machine.peek(next)).toBe(page | AccessFlag);
    set(0n);
    expect(run([0xd508_7801, mrs(2, sysreg.PAR_EL1), 0xd50b_7b21])).toBeUndefined();
    expect(machine.context.x(2) & 1n).toBe(0n);
    expect(descriptor()).toBe(0n);
  });

  it('is not set by an access that permissions forbid', () => {
    machine.enable(machine.context, Ha);
    set(ReadOnly);
    expect(run([strX(2, 1)])).toBe('9600004f');
    expect(descriptor()).toBe(ReadOnly);
  });
});

it('goes on after a snapshot as the machine that was restored from it does: without entries', () => {
  machine.enable(machine.context, Ha);
  set(0n);
  const flags = (what: () => void): bigint => {
    run([ldrX(2, 1)]);
    set(0n);
    what();
    run([ldrX(2, 1)]);
    return descriptor();
  };
  expect(flags(() => undefined)).toBe(0n);
  expect(flags(() => void machine.cpu.save())).toBe(AccessFlag);
  const state = machine.cpu.save();
  expect(flags(() => machine.cpu.restore(state))).toBe(AccessFlag);
});

describe('the dirty state', () => {
  const clean = DirtyBitModifier | ReadOnly | AccessFlag;

  it('is noted at the first write, where TCR_EL1.HD says so, whatever was read before', () => {
    set(clean);
    machine.enable(machine.context, Ha);
    expect(run([strX(2, 1)])).toBe('9600004f');
    machine.enable(machine.context, Ha | Hd);
    expect(run([ldrX(2, 1)])).toBeUndefined();
    expect(descriptor()).toBe(clean);
    machine.context.setX(3, 8n);
    expect(run([strX(3, 1)])).toBeUndefined();
    expect(descriptor()).toBe(DirtyBitModifier | AccessFlag);
    expect(machine.peek(DATA)).toBe(8n);
  });

  it('needs TCR_EL1.HA too', () => {
    set(clean);
    machine.enable(machine.context, Hd);
    expect(run([strX(2, 1)])).toBe('9600004f');
  });

  it('is seen again after software made the page clean and dropped its entries', () => {
    set(clean);
    machine.enable(machine.context, Ha | Hd);
    run([strX(3, 1)]);
    set(clean);
    run([TLBI_VMALLE1, isb, strX(3, 1)]);
    expect(descriptor()).toBe(DirtyBitModifier | AccessFlag);
  });

  it('counts as writable for AT, and does not change by it', () => {
    set(clean);
    machine.enable(machine.context, Ha | Hd);
    run([0xd508_7821, mrs(2, sysreg.PAR_EL1)]); // AT S1E1W, X1
    expect([machine.context.x(2) & 1n, descriptor()]).toEqual([0n, clean]);
  });

  it('is of EL0 as well', () => {
    set(clean | User);
    machine.enable(machine.context, Ha | Hd);
    expect(run([strX(3, 1)], 0)).toBeUndefined();
    expect(descriptor()).toBe(DirtyBitModifier | AccessFlag | User);
  });
});

it('an update that stage 2 forbids goes to EL2, as a fault of the table walk', () => {
  machine.enable(machine.context, Ha);
  set(0n);
  machine.stage2.map(TABLE, 10, Permission.R);
  machine.cpu.invalidate(machine.stage2);
  // Data abort from a lower level: S1PTW, WnR, permission fault at level 3.
  expect(run([ldrX(2, 1)])).toBe('EL2: 920000cf');
  expect(machine.vcpu.exit.ipa).toBe(machine.descriptorAt(0, VA));
});

describe('TCR_EL1.E0PD0', () => {
  it('keeps EL0 from the half, with a Translation fault at level 0, and not EL1', () => {
    set(AccessFlag | User);
    expect(run([ldrX(2, 1)], 0)).toBeUndefined();
    machine.enable(machine.context, Tcr.E0pd0);
    expect(run([ldrX(2, 1)])).toBeUndefined();
    expect(run([0xf840_0822])).toBe('96000004'); // LDTR X2, [X1]
    expect(run([ldrX(2, 1)], 0)).toBe('82000004');
  });
});

describe('SCTLR_EL1.EPAN', () => {
  it('has PSTATE.PAN count for pages that EL0 may execute only', () => {
    const setPan = 0xd500_419f;
    set(AccessFlag);
    expect(run([TLBI_VMALLE1, isb, setPan, ldrX(2, 1)])).toBeUndefined();
    machine.context.setSysreg(sysreg.SCTLR_EL1, (machine.context.sysreg(sysreg.SCTLR_EL1) ?? 0n) | (1n << 57n));
    expect(run([ldrX(2, 1)])).toBe('9600000f');
    set(AccessFlag | Descriptor.Uxn);
    expect(run([TLBI_VMALLE1, isb, ldrX(2, 1)])).toBeUndefined();
  });
});
