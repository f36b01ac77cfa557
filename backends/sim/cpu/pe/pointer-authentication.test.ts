import { beforeEach, describe, expect, it } from 'vitest';
import { ExceptionClass } from '../types.ts';
import { hvc, movz, msr, nop, SCTLR_EL1, TestMachine } from '../testing/test-machine.ts';
import { encodeSysreg, sysreg } from './system-registers.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const TCR_EL1 = encodeSysreg(3, 0, 2, 0, 2);
const SCTLR = 0xc5_0878n;
const ENABLE = { IA: 1n << 31n, IB: 1n << 30n, DA: 1n << 27n, DB: 1n << 13n } as const;
type Key = keyof typeof ENABLE;
const KEYS = Object.keys(ENABLE) as Key[];
const ALL_ENABLED = Object.values(ENABLE).reduce((all, bit) => all | bit);
const [LOW_TAGGED, HIGH_TAGGED] = [1n << 37n, 1n << 38n];
const [LOW_BRANCHES_UNTAGGED] = [1n << 51n];
const LOW = 0x0000_1234_5678_9ab0n;
const HIGH = 0xffff_8765_4321_0ff8n;

/** Rd, Rn; the key as in `opcode`. */
const pac = (key: Key, rd: number, rn: number): number =>
  (0xdac1_0000 | (KEYS.indexOf(key) << 10) | (rn << 5) | rd) >>> 0;
const aut = (key: Key, rd: number, rn: number): number => (pac(key, rd, rn) | 0x1000) >>> 0;
const pacz = (key: Key, rd: number): number => (pac(key, rd, 31) | 0x2000) >>> 0;
const xpac = (data: boolean, rd: number): number => ((data ? 0xdac1_47e0 : 0xdac1_43e0) | rd) >>> 0;
const pacga = (rd: number, rn: number, rm: number): number => (0x9ac0_3000 | (rm << 16) | (rn << 5) | rd) >>> 0;
const hint = (number: number): number => (0xd503_201f | (number << 5)) >>> 0;
const PACIASP = hint(25);
const AUTIASP = hint(29);
const RETAA = 0xd65f_0bff;
const RETAB = 0xd65f_0fff;
const ERETAA = 0xd69f_0bff;
const braa = (rn: number, rm: number): number => (0xd71f_0800 | (rn << 5) | rm) >>> 0;
const blrab = (rn: number, rm: number): number => (0xd73f_0c00 | (rn << 5) | rm) >>> 0;
const braaz = (rn: number): number => (0xd61f_081f | (rn << 5)) >>> 0;
const ldraa = (rt: number, rn: number, offset: number, writeBack = false): number =>
  (0xf820_0400 | ((offset >> 3) << 12) | (writeBack ? 0x800 : 0) | (rn << 5) | rt) >>> 0;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
  machine.context.setSysreg(SCTLR_EL1, SCTLR | ALL_ENABLED);
  for (const [index, key] of [...KEYS, 'GA' as const].entries()) {
    machine.context.setSysreg(sysreg[`AP${key}KeyLo_EL1`], 0x0123_4567_89ab_cdefn * BigInt(index + 1));
    machine.context.setSysreg(sysreg[`AP${key}KeyHi_EL1`], 0xfedc_ba98_7654_3210n ^ BigInt(index));
  }
});

/** Runs to HVC #0 or into a vector. @returns ESR_EL1.EC and ISS of an exception to EL1, else undefined */
function run(...words: readonly number[]): { ec: number; iss: number; at: number } | undefined {
  machine.load([...words, hvc(0)]);
  machine.context.pc = BigInt(CODE);
  // Enough for making and loading handlers.
  machine.vcpu.run(1_000_000);
  if ((machine.vcpu.exit.esr & 0xffff) === 0) return undefined;
  const esr = Number(machine.context.sysreg(sysreg.ESR_EL1) ?? 0n);
  return { ec: esr >>> 26, iss: esr & 0x1ff_ffff, at: Number(machine.context.sysreg(sysreg.ELR_EL1)) - CODE };
}

function signed(key: Key, pointer: bigint, modifier: bigint): bigint {
  machine.context.setX(0, pointer);
  machine.context.setX(1, modifier);
  expect(run(pac(key, 0, 1))).toBeUndefined();
  return machine.context.x(0);
}

describe.each(KEYS)('key %s', (key) => {
  it.each([LOW, HIGH])('adds a code to %s that authenticates', (pointer) => {
    const code = signed(key, pointer, 77n);
    expect(code).not.toBe(pointer);
    expect(run(aut(key, 0, 1))).toBeUndefined();
    expect(machine.context.x(0)).toBe(pointer);
  });

  it('changes no address bit, nor bit 55', () => {
    const field = 0xff7f_0000_0000_0000n;
    for (const pointer of [LOW, HIGH]) {
      const changed = Array.from({ length: 64 }, (_, n) => signed(key, pointer, BigInt(n)) ^ pointer);
      expect(changed.reduce((all, bits) => all | bits)).toBe(field);
    }
  });

  it.each(['modifier', 'pointer', 'key', 'code'] as const)('finds that the %s is another', (part) => {
    const code = signed(key, LOW, 77n);
    if (part === 'modifier') machine.context.setX(1, 78n);
    if (part === 'pointer') machine.context.setX(0, code ^ 16n);
    if (part === 'key') machine.context.setSysreg(sysreg[`AP${key}KeyHi_EL1`], 1n);
    if (part === 'code') machine.context.setX(0, code ^ (1n << 60n));
    expect(run(nop, aut(key, 0, 1))).toEqual({ ec: ExceptionClass.PacFail, iss: KEYS.indexOf(key), at: 4 });
  });

  it('does nothing while it is not enabled', () => {
    const code = signed(key, LOW, 77n);
    machine.context.setSysreg(SCTLR_EL1, SCTLR | (ALL_ENABLED & ~ENABLE[key]));
    expect(signed(key, LOW, 77n)).toBe(LOW);
    machine.context.setX(0, code);
    expect(run(aut(key, 0, 1))).toBeUndefined();
    expect(machine.context.x(0)).toBe(code);
  });

  it('is enabled by the guest', () => {
    machine.context.setSysreg(SCTLR_EL1, SCTLR);
    machine.context.setX(0, LOW);
    machine.context.setX(2, SCTLR | ENABLE[key]);
    expect(run(msr(SCTLR_EL1, 2), pacz(key, 0))).toBeUndefined();
    expect(machine.context.x(0)).toBe(signed(key, LOW, 0n));
  });
});

it('has different codes for each key', () => {
  expect(new Set(KEYS.map((key) => signed(key, LOW, 1n))).size).toBe(4);
});

it('depends on each bit of pointer and modifier', () => {
  const codes = new Set([signed('IA', LOW, 0n)]);
  for (let bit = 0n; bit < 64n; bit += 1n) codes.add(signed('IA', LOW, 1n << bit) >> 56n);
  // 64 codes of 8 bits: about 57 different ones.
  expect(codes.size).toBeGreaterThan(40);
  const pointers = Array.from({ length: 47 }, (_, bit) => signed('IA', LOW ^ (1n << BigInt(bit)), 0n) >> 56n);
  expect(new Set(pointers).size).toBeGreaterThan(30);
});

it('keeps the tag of a pointer to data and, with TBID, not that of an instruction', () => {
  machine.context.setSysreg(TCR_EL1, LOW_TAGGED | LOW_BRANCHES_UNTAGGED);
  const tagged = LOW | (0xa5n << 56n);
  expect(signed('DA', tagged, 3n) >> 56n).toBe(0xa5n);
  const tops = new Set(Array.from({ length: 8 }, (_, n) => signed('IA', LOW, BigInt(n)) >> 56n));
  expect(tops.size).toBeGreaterThan(1);
  machine.context.setSysreg(TCR_EL1, HIGH_TAGGED);
  expect(signed('IA', HIGH & ~(0xffn << 56n), 3n) >> 56n).toBe(0n);
});

it('has room for more bits in smaller address spaces', () => {
  machine.context.setSysreg(TCR_EL1, 25n);
  const changed = Array.from({ length: 64 }, (_, n) => signed('IA', 0x10_0000n, BigInt(n)) ^ 0x10_0000n);
  expect(changed.reduce((all, bits) => all | bits)).toBe(0xff7f_ff80_0000_0000n);
});

it('makes a generic code of 32 bits, whether or not keys are enabled', () => {
  machine.context.setSysreg(SCTLR_EL1, SCTLR);
  machine.context.setX(1, LOW);
  machine.context.setX(2, 5n);
  run(pacga(0, 1, 2));
  const code = machine.context.x(0);
  expect(code & 0xffff_ffffn).toBe(0n);
  machine.context.setSysreg(sysreg.APGAKeyLo_EL1, 9n);
  run(pacga(0, 1, 2));
  expect(machine.context.x(0)).not.toBe(code);
});

it('strips codes', () => {
  for (const pointer of [LOW, HIGH]) {
    signed('IA', pointer, 3n);
    run(xpac(false, 0));
    expect(machine.context.x(0)).toBe(pointer);
    machine.context.setX(30, signed('DB', pointer, 3n));
    run(xpac(true, 0), hint(7));
    expect([machine.context.x(0), machine.context.x(30)]).toEqual([pointer, pointer]);
  }
});

it('has forms in the space of hints', () => {
  machine.context.setX(17, LOW);
  machine.context.setX(16, 5n);
  machine.context.setX(30, HIGH);
  // PACIA1716; PACIBZ.
  expect(run(hint(8), hint(26))).toBeUndefined();
  const [x17, x30] = [machine.context.x(17), machine.context.x(30)];
  expect([x17, x30]).toEqual([signed('IA', LOW, 5n), signed('IB', HIGH, 0n)]);
  expect(run(hint(12), hint(30))).toBeUndefined();
  expect([machine.context.x(17), machine.context.x(30)]).toEqual([LOW, HIGH]);
  machine.context.setX(30, HIGH ^ (1n << 62n));
  expect(run(AUTIASP)).toEqual({ ec: ExceptionClass.PacFail, iss: 0, at: 0 });
});

describe('branches', () => {
  /** A subroutine at 0x200 that returns with a code, and one at 0x280 that ends the run. */
  const [SUBROUTINE, END] = [0x200, 0x280];
  beforeEach(() => {
    machine.write(CODE + SUBROUTINE, [PACIASP, movz(5, 1), RETAA]);
    machine.write(CODE + END, [movz(6, 1), hvc(0)]);
  });

  it('call, return and jump with valid codes', () => {
    machine.context.setX(2, signed('IB', BigInt(CODE + SUBROUTINE), 9n));
    const end = signed('IA', BigInt(CODE + END), 0n);
    machine.context.setX(3, end);
    machine.context.setX(4, 9n);
    expect(run(blrab(2, 4), braaz(3))).toBeUndefined();
    expect([5, 6].map((n) => machine.context.x(n))).toEqual([1n, 1n]);
    // The subroutine signed X30, and RETAA leaves it as it is.
    expect(machine.context.x(30) & 0xffff_ffffn).toBe(BigInt(CODE + 4));
  });

  it.each([
    ['BRAA', braa(2, 4), 0],
    ['BLRAB', blrab(2, 4), 1],
    ['RETAA', RETAA, 0],
    ['RETAB', RETAB, 1],
    ['ERETAA', ERETAA, 0],
  ])('%s does not go where the code is wrong', (_name, word, iss) => {
    const forged = BigInt(CODE + END) | (1n << 62n);
    machine.context.setX(2, forged);
    machine.context.setX(30, forged);
    machine.context.setSysreg(sysreg.ELR_EL1, forged);
    expect(run(word)).toEqual({ ec: ExceptionClass.PacFail, iss, at: 0 });
    expect(machine.context.x(6)).toBe(0n);
  });

  it('ERETAA returns to ELR_EL1 with a valid code', () => {
    const { sp } = machine.context;
    machine.context.setSysreg(sysreg.ELR_EL1, signed('IA', BigInt(CODE + END), sp));
    machine.context.setSysreg(sysreg.SPSR_EL1, 0x3c5n);
    expect(run(ERETAA)).toBeUndefined();
    expect([machine.context.x(6), machine.context.pc]).toEqual([1n, BigInt(CODE + END + 8)]);
  });

  it('ERETAA is undefined at EL0', () => {
    machine.write(VECTORS + 0x400, [hvc(4)]);
    machine.context.pstate = 0;
    expect(run(ERETAA)?.ec).toBe(ExceptionClass.Unknown);
  });
});

it('LDRAA loads from an authenticated address', () => {
  machine.memory.view.setBigUint64(machine.offset(DATA + 16), 0x1122_3344_5566_7788n, true);
  const code = signed('DA', BigInt(DATA), 0n);
  machine.context.setX(1, code);
  expect(run(ldraa(0, 1, 16, true))).toBeUndefined();
  expect([machine.context.x(0), machine.context.x(1)]).toEqual([0x1122_3344_5566_7788n, BigInt(DATA + 16)]);
  machine.context.setX(1, code ^ (1n << 61n));
  expect(run(ldraa(0, 1, 16))).toEqual({ ec: ExceptionClass.PacFail, iss: 2, at: 0 });
});

it('needs no registers but the pointer for XZR', () => {
  expect(run(pacz('IA', 31), aut('IA', 31, 31))?.ec).toBe(ExceptionClass.PacFail);
});
