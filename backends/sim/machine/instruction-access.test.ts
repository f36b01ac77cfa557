import { expect, it } from 'vitest';

import { RunExit } from '../cpu/index.ts';
import { TestMachine } from '../cpu/testing/test-machine.ts';
import { serveInstruction } from './instruction-access.ts';
import type { Registers } from './register-access.ts';

const DEVICE = 0x4000_0100;
const LOW = 0x8182_8384;
const HIGH = 0x9192_9394;

/** Runs one instruction whose base is X1, or SP, with a device there. @returns the accesses, and the machine */
function executed(word: number, base = DEVICE, sp = false): { served: boolean; log: string[]; machine: TestMachine } {
  const machine = new TestMachine();
  const { context, vcpu, memory } = machine;
  const log: string[] = [];
  const devices: Registers = {
    read: (address, bytes) => {
      log.push(`r${String(bytes)} ${(address - DEVICE).toString()}`);
      return address % 8 === 0 ? LOW : HIGH;
    },
    write: (address, bytes, low, high) => {
      log.push(`w${String(bytes)} ${(address - DEVICE).toString()} ${high.toString(16)}:${(low >>> 0).toString(16)}`);
    },
  };
  machine.load([word]);
  for (const n of [2, 3]) context.setX(n, 0x1111_1111_0000_0000n * BigInt(n) + 0xabcd_ef90n);
  if (sp) context.setSysreg(0xe208, BigInt(base));
  context.setX(1, BigInt(sp ? 5 : base));
  expect(vcpu.run(1_000_000)).toBe(RunExit.Sync);
  memory.u8.fill(0x5a, vcpu.simdOffset, vcpu.simdOffset + 32);
  const { exit, simdOffset } = vcpu;
  const served = serveInstruction(devices, context, memory.u8, simdOffset, exit.instruction, exit.ipa);
  return { served, log, machine };
}

it.each([
  ['strb w3, [x1], #1', 0x3800_1423, 0, 1, ['w1 0 0:90']],
  ['strh w3, [x1, #-2]!', 0x781f_ec23, 0, -2, ['w2 -2 0:ef90']],
  ['str x3, [x1], #8', 0xf800_8423, 0, 8, ['w8 0 33333333:abcdef90']],
  ['stp x2, x3, [x1]', 0xa900_0c22, 0, 0, ['w8 0 22222222:abcdef90', 'w8 8 33333333:abcdef90']],
  ['stp w2, wzr, [x1, #8]!', 0x2981_7c22, 0, 8, ['w4 8 0:abcdef90', 'w4 12 0:0']],
  ['str q0, [x1], #16', 0x3c81_0420, 0, 16, ['w8 0 5a5a5a5a:5a5a5a5a', 'w8 8 5a5a5a5a:5a5a5a5a']],
  ['str d0, [x1]', 0xfd00_0020, 0, 0, ['w8 0 5a5a5a5a:5a5a5a5a']],
  ['str s0, [x1]', 0xbd00_0020, 0, 0, ['w4 0 0:5a5a5a5a']],
])('stores %s', (_, word, from, moved, log) => {
  const result = executed(word, DEVICE + from);
  expect(result.served).toBe(true);
  expect(result.log).toEqual(log);
  expect(result.machine.context.x(1)).toBe(BigInt(DEVICE + moved));
});

it.each([
  ['ldr x2, [x1, #-8]!', 0xf85f_8c22, -8, [0x9192_9394_8182_8384n, 0x3333_3333_abcd_ef90n]],
  ['ldrsb w2, [x1], #4', 0x38c0_4422, 4, [0xffff_ff84n, 0x3333_3333_abcd_ef90n]],
  ['ldrsb x2, [x1], #4', 0x3880_4422, 4, [0xffff_ffff_ffff_ff84n, 0x3333_3333_abcd_ef90n]],
  ['ldrsw x2, [x1], #4', 0xb880_4422, 4, [0xffff_ffff_8182_8384n, 0x3333_3333_abcd_ef90n]],
  ['ldrh w2, [x1], #2', 0x7840_2422, 2, [0x8384n, 0x3333_3333_abcd_ef90n]],
  ['ldp w2, w3, [x1], #8', 0x28c1_0c22, 8, [0x8182_8384n, 0x9192_9394n]],
  ['ldpsw x2, x3, [x1]', 0x6940_0c22, 0, [0xffff_ffff_8182_8384n, 0xffff_ffff_9192_9394n]],
  ['ldnp x2, x3, [x1]', 0xa840_0c22, 0, [0x9192_9394_8182_8384n, 0x9192_9394_8182_8384n]],
])('loads %s', (_, word, moved, [second, third]) => {
  const { served, machine } = executed(word);
  expect(served).toBe(true);
  expect([1, 2, 3].map((n) => machine.context.x(n))).toEqual([BigInt(DEVICE + moved), second, third]);
});

it('loads SIMD&FP registers, whose upper bits become zero', () => {
  const simd = (word: number): string => {
    const { served, machine } = executed(word);
    expect(served).toBe(true);
    const at = machine.vcpu.simdOffset;
    return Buffer.from(machine.memory.u8.subarray(at, at + 32)).toString('hex');
  };
  const whole = '84838281949392918483828194939291';
  expect(simd(0x3dc0_0020)).toBe(whole + '5a'.repeat(16));
  expect(simd(0xad40_0420)).toBe(whole + whole);
  expect(simd(0x3d40_0020)).toBe('84' + '00'.repeat(15) + '5a'.repeat(16));
});

it('writes SP back', () => {
  const { served, machine } = executed(0x3800_17e3, DEVICE, true);
  expect([served, machine.context.sp, machine.context.x(1)]).toEqual([true, BigInt(DEVICE + 1), 5n]);
});

it('leaves exclusives, atomics and accesses that begin elsewhere', () => {
  for (const word of [0xc85f_7c20, 0xf822_0023]) expect(executed(word)).toMatchObject({ served: false, log: [] });
  // A device behind RAM.
  const machine = new TestMachine();
  machine.load([0xf800_8423]);
  machine.context.setX(1, BigInt(TestMachine.DATA + 0x1ffc));
  expect(machine.vcpu.run(1_000_000)).toBe(RunExit.Sync);
  const { exit, simdOffset } = machine.vcpu;
  const none: Registers = { read: () => 0, write: () => undefined };
  expect(serveInstruction(none, machine.context, machine.memory.u8, simdOffset, exit.instruction, exit.ipa)).toBe(
    false,
  );
});
