import { beforeEach, expect, it } from 'vitest';
import { hvc, TestMachine } from '../testing/test-machine.ts';
import { VcpuState } from '../layout.ts';

// No assembler or emulator of Debian 12 has FEAT_LRCPC3: words are those of LLVM, effects those of the Arm ARM.

const { CODE, DATA } = TestMachine;
const AT = DATA + 64;
const FIRST = 0x1111_2222_3333_4444n;
const SECOND = 0x5555_6666_7777_8888n;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
  poke(AT, FIRST);
  poke(AT + 8, SECOND);
});

function poke(address: number, value: bigint): void {
  machine.memory.view.setBigUint64(machine.offset(address), value, true);
}

function peek(address: number): bigint {
  return machine.memory.view.getBigUint64(machine.offset(address), true);
}

/** Runs an instruction with an address in a register, of which 31 is SP. @returns the register afterwards */
function run(word: number, base: number, address: number, values: Readonly<Record<number, bigint>> = {}): number {
  machine.context.setX(9, BigInt(address));
  for (const [n, value] of Object.entries(values)) machine.context.setX(Number(n), value);
  // MOV SP, X9, or MOV Xbase, X9.
  machine.load([base === 31 ? 0x9100_013f : (0xaa09_03e0 | base) >>> 0, word, hvc(0)]);
  machine.context.pc = BigInt(CODE);
  machine.vcpu.run(1_000_000);
  expect(machine.context.pc).toBe(BigInt(CODE + 12));
  return Number(base === 31 ? machine.context.sp : machine.context.x(base));
}

function vector(n: number): [bigint, bigint] {
  const at = (VcpuState.V + n * 16) >> 3;
  return [machine.memory.u64[at] ?? 0n, machine.memory.u64[at + 1] ?? 0n];
}

function setVector(n: number, low: bigint, high: bigint): void {
  machine.memory.u64.set([low, high], (VcpuState.V + n * 16) >> 3);
}

it('LDIAPP loads two registers, and moves the base past them or leaves it', () => {
  expect(run(0x9944_0a9c, 20, AT)).toBe(AT + 8); // LDIAPP W28, W4, [X20], #8
  expect([28, 4].map((n) => machine.context.x(n))).toEqual([FIRST & 0xffff_ffffn, FIRST >> 32n]);
  expect(run(0xd945_0abd, 21, AT)).toBe(AT + 16); // LDIAPP X29, X5, [X21], #16
  expect([29, 5].map((n) => machine.context.x(n))).toEqual([FIRST, SECOND]);
  expect(run(0xd947_1aff, 23, AT)).toBe(AT); // LDIAPP XZR, X7, [X23]
  expect(machine.context.x(7)).toBe(SECOND);
});

it('STILP moves the base before it stores two registers, or leaves it', () => {
  expect(run(0xd901_0a39, 17, AT + 32, { 25: 1n, 1: 2n })).toBe(AT + 16); // STILP X25, X1, [X17, #-16]!
  expect([peek(AT + 16), peek(AT + 24)]).toEqual([1n, 2n]);
  expect(run(0x9900_0a18, 16, AT + 32, { 24: 3n, 0: 4n })).toBe(AT + 24); // STILP W24, W0, [X16, #-8]!
  expect(peek(AT + 24)).toBe((4n << 32n) | 3n);
  expect(run(0xd903_1bfb, 31, AT + 32, { 27: 5n, 3: 6n })).toBe(AT + 32); // STILP X27, X3, [SP]
  expect([peek(AT + 32), peek(AT + 40)]).toEqual([5n, 6n]);
});

it('LDAPR and STLR write back', () => {
  expect(run(0x99c0_0be3, 31, AT)).toBe(AT + 4); // LDAPR W3, [SP], #4
  expect(machine.context.x(3)).toBe(FIRST & 0xffff_ffffn);
  expect(run(0xd9c0_09e3, 15, AT)).toBe(AT + 8); // LDAPR X3, [X15], #8
  expect(machine.context.x(3)).toBe(FIRST);
  expect(run(0x9980_09e3, 15, AT + 4, { 3: 7n })).toBe(AT); // STLR W3, [X15, #-4]!
  expect(run(0xd980_09e3, 15, AT + 16, { 3: 8n })).toBe(AT + 8); // STLR X3, [X15, #-8]!
  expect([peek(AT), peek(AT + 8)]).toEqual([(FIRST & ~0xffff_ffffn) | 7n, 8n]);
});

it.each([
  ['LDAPUR B3, [X15, #6]', 0x1d40_69e3, 6, 0xffn],
  ['LDAPUR H3, [X15, #-7]', 0x5d5f_99e3, -7, 0xffffn],
  ['LDAPUR S3, [X15, #8]', 0x9d40_89e3, 8, 0xffff_ffffn],
  ['LDAPUR D3, [X15, #-9]', 0xdd5f_79e3, -9, 0xffff_ffff_ffff_ffffn],
])('%s loads the low part of a register, and clears the rest', (_name, word, offset, mask) => {
  setVector(3, 9n, 9n);
  run(word, 15, AT - offset);
  expect(vector(3)).toEqual([FIRST & mask, 0n]);
});

it('LDAPUR loads 128 bits', () => {
  run(0x1dc0_a9e3, 15, AT - 10); // LDAPUR Q3, [X15, #10]
  expect(vector(3)).toEqual([FIRST, SECOND]);
});

it('STLUR stores parts of registers', () => {
  setVector(3, 0xaabb_ccdd_eeff_0011n, 5n);
  run(0x1d1f_f9e3, 15, AT + 1); // STLUR B3, [X15, #-1]
  expect(peek(AT)).toBe((FIRST & ~0xffn) | 0x11n);
  run(0x5d00_29e3, 15, AT - 2); // STLUR H3, [X15, #2]
  expect(peek(AT)).toBe((FIRST & ~0xffffn) | 0x0011n);
  run(0x9d1f_d9e3, 15, AT + 3); // STLUR S3, [X15, #-3]
  expect(peek(AT)).toBe((FIRST & ~0xffff_ffffn) | 0xeeff_0011n);
  run(0x1d9f_b9e3, 15, AT + 5); // STLUR Q3, [X15, #-5]
  expect([peek(AT), peek(AT + 8)]).toEqual([0xaabb_ccdd_eeff_0011n, 5n]);
});

it('LDAP1 and STL1 transfer one element', () => {
  setVector(3, 1n, 2n);
  run(0x4d41_85e3, 15, AT); // LDAP1 {V3.D}[1], [X15]
  expect(vector(3)).toEqual([1n, FIRST]);
  run(0x0d41_87e3, 31, AT); // LDAP1 {V3.D}[0], [SP]
  expect(vector(3)).toEqual([FIRST, FIRST]);
  setVector(3, 1n, 2n);
  run(0x0d01_85e3, 15, AT); // STL1 {V3.D}[0], [X15]
  run(0x4d01_87e3, 31, AT + 16); // STL1 {V3.D}[1], [SP]
  expect([peek(AT), peek(AT + 16)]).toEqual([1n, 2n]);
});
