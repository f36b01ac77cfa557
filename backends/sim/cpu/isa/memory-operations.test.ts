import { beforeEach, describe, expect, it } from 'vitest';
import { hvc, SCTLR_EL1, TestMachine } from '../testing/test-machine.ts';
import { Random } from '../testing/registers.ts';
import { sysreg } from '../pe/system-registers.ts';
import { ExceptionClass, RunExit } from '../types.ts';

const { CODE, DATA, VECTORS } = TestMachine;
const BYTES = 0x2000;
const ALL = Array.from({ length: BYTES }, (_, n) => n);
const MSCEN = 1n << 33n;
const OPTION_B = 0x2000_0000;

/** The three instructions, from prologue to epilogue: registers of the destination, the source or value, the size. */
const words = (base: number, step: number, d: number, s: number, n: number): number[] =>
  [0, 1, 2].map((stage) => (base | (stage << step) | (s << 16) | (n << 5) | d) >>> 0);
const cpyf = (d: number, s: number, n: number): number[] => words(0x1900_0400, 22, d, s, n);
const cpy = (d: number, s: number, n: number): number[] => words(0x1d00_0400, 22, d, s, n);
const set = (d: number, s: number, n: number): number[] => words(0x19c0_0400, 14, d, s, n);

let machine: TestMachine;
let memory: Uint8Array;
beforeEach(() => {
  machine = new TestMachine();
  const random = new Random(7);
  memory = Uint8Array.from(ALL, () => random.word() & 0xff);
  write(memory);
});

function write(bytes: Uint8Array): void {
  bytes.forEach((byte, n) => machine.memory.view.setUint8(machine.offset(DATA + n), byte));
}

function read(): Uint8Array {
  return Uint8Array.from(ALL, (n) => machine.memory.view.getUint8(machine.offset(DATA + n)));
}

/** Sets X0 to X2, and runs to the HVC at the end or to another exit, in slices. @returns ESR_EL2.EC */
function run(code: readonly number[], registers: readonly (number | bigint)[], slice = 1_000_000): number {
  machine.load([...code, hvc(0)]);
  registers.forEach((value, n) => {
    machine.context.setX(n, BigInt(value));
  });
  machine.context.pc = BigInt(CODE);
  while (machine.vcpu.run(slice) === RunExit.Budget);
  return machine.vcpu.exit.ec;
}

function registers(): bigint[] {
  return [0, 1, 2].map((n) => machine.context.x(n));
}

describe.each([
  ['CPYF', cpyf],
  ['CPY', cpy],
])('%s', (name, copy) => {
  it('copies any number of bytes from anywhere to anywhere', () => {
    const random = new Random(1);
    for (const size of [0, 1, 7, 8, 9, 63, 64, 65, 200, 2000, 4097]) {
      write(memory);
      const overlaps = name === 'CPY';
      const from = random.below(overlaps ? BYTES - size : BYTES / 2 - size / 2);
      const to = overlaps ? random.below(BYTES - size) : from + size + random.below(BYTES - from - 2 * size);
      if (to + size > BYTES) continue;
      expect(run(copy(0, 1, 2), [DATA + to, DATA + from, size])).toBe(ExceptionClass.Hvc64);
      const expected = memory.slice();
      expected.copyWithin(to, from, from + size);
      expect(Buffer.compare(read(), expected), `${String(size)} bytes from ${String(from)} to ${String(to)}`).toBe(0);
      const backward = overlaps && from < to && from + size > to;
      const end = backward ? 0 : size;
      expect(registers()).toEqual([BigInt(DATA + to + end), BigInt(DATA + from + end), 0n]);
    }
  });

  it('stops at the page that faults, and goes on from there', () => {
    const size = 0x1800;
    const to = DATA + BYTES - 100;
    expect(run(copy(0, 1, 2), [to, DATA, size])).toBe(ExceptionClass.DataAbortLower);
    expect(machine.context.pc).toBe(BigInt(CODE + 4));
    expect(machine.memory.u64[machine.vcpu.el2.far >> 3]).toBe(BigInt(DATA + BYTES));
    expect(registers()).toEqual([BigInt(to + 100), BigInt(DATA + 100), BigInt(size - 100)]);
    for (let page = 0; page < 2; page += 1) machine.stage2.map(DATA + BYTES + page * 4096, 9 + page);
    while (machine.vcpu.run(1_000_000) === RunExit.Budget);
    expect(registers()[2]).toBe(0n);
    const last = machine.memory.view.getUint8(machine.offset(to + size - 1));
    expect(last).toBe(memory[size - 1]);
  });
});

it('CPY copies from the end where the start of the destination is in the source', () => {
  expect(run(cpy(0, 1, 2), [DATA + 100, DATA, 5000], 20)).toBe(ExceptionClass.Hvc64);
  const expected = memory.slice();
  expected.copyWithin(100, 0, 5000);
  expect(Buffer.compare(read(), expected)).toBe(0);
  expect(machine.context.pstate & 0xf000_0000).toBe((OPTION_B | 0x8000_0000) & ~0);
});

it('SET fills memory with a byte, and XZR with zeros', () => {
  for (const [word, value] of [
    [1, 0xa5],
    [31, 0],
  ] as const) {
    for (const [from, size] of [
      [3, 0],
      [3, 1],
      [100, 77],
      [1, 4100],
    ] as const) {
      write(memory);
      expect(run(set(0, word, 2), [DATA + from, 0xffa5, size])).toBe(ExceptionClass.Hvc64);
      expect(Buffer.compare(read(), memory.slice().fill(value, from, from + size))).toBe(0);
      expect([registers()[0], registers()[2]]).toEqual([BigInt(DATA + from + size), 0n]);
    }
  }
});

it('is the same in slices of any length', () => {
  const results = [1, 3, 1_000_000].map((slice) => {
    write(memory);
    const before = machine.vcpu.retired;
    run(cpyf(0, 1, 2), [DATA + 0x1000, DATA + 5, 1000], slice);
    return [machine.vcpu.retired - before, Buffer.from(read()).toString('base64')];
  });
  expect(results[0]).toEqual(results[2]);
  expect(results[1]).toEqual(results[2]);
});

it('limits sizes to what pointers can have', () => {
  for (const [code, limit] of [
    [cpyf, 0x7fff_ffff_ffff_ffffn],
    [cpy, 0x007f_ffff_ffff_ffffn],
    [set, 0x7fff_ffff_ffff_ffffn],
  ] as const) {
    run(code(0, 1, 2).slice(0, 1), [DATA + 0x1000, 0x10_0000, 0xffff_ffff_ffff_fff0n]);
    expect(registers()[2]).toBe(limit);
  }
});

it('raises its exception where registers are those of Option A', () => {
  machine.context.pstate = 0x3c5;
  const [, main = 0, epilogue = 0] = cpy(3, 4, 5);
  for (const [word, fromEpilogue] of [
    [main, 0],
    [epilogue, 1],
  ] as const) {
    machine.context.pstate = 0x3c5;
    run([word], []);
    const esr = Number(machine.context.sysreg(sysreg.ESR_EL1));
    expect(esr >>> 26).toBe(ExceptionClass.MemoryOption);
    expect(esr & 0x1ff_ffff).toBe((fromEpilogue << 18) | (1 << 17) | (3 << 10) | (4 << 5) | 5);
    expect(machine.context.sysreg(sysreg.ELR_EL1)).toBe(BigInt(CODE));
  }
});

it('is undefined at EL0 unless SCTLR_EL1.MSCEn is set', () => {
  machine.write(VECTORS + 0x400, [hvc(4)]);
  // HVC is undefined at EL0: it ends the run as well.
  machine.context.pstate = 0;
  run(set(0, 1, 2), [DATA, 0xee, 16]);
  expect(machine.context.sysreg(sysreg.ELR_EL1)).toBe(BigInt(CODE));
  machine.context.setSysreg(SCTLR_EL1, 0xc5_0878n | MSCEN);
  machine.context.pstate = 0;
  run(set(0, 1, 2), [DATA, 0xee, 16]);
  expect(machine.context.sysreg(sysreg.ELR_EL1)).toBe(BigInt(CODE + 12));
  expect(read()[15]).toBe(0xee);
});
