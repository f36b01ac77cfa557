import { beforeEach, describe, expect, it } from 'vitest';
import { hvc, TestMachine } from '../../testing/test-machine.ts';
import { VcpuState } from '../../layout.ts';
import { RunExit } from '../../types.ts';

/** SCVTF H0, X0, #24. */
const SCVTF_FIXED = 0x9ec2_a000;
/** FCVTZS H0, H1, #2. */
const FCVTZS_FIXED = 0x5f1e_fc20;
/** FMADD H0, H1, H2, H3. */
const FMADD = 0x1fc2_0c20;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

function setV(register: number, bits: bigint): void {
  machine.memory.view.setBigUint64(VcpuState.V + register * 16, bits, true);
}

function run(word: number): bigint {
  machine.load([word, hvc(0)]);
  machine.context.pc = BigInt(TestMachine.CODE);
  setV(0, 0xffff_ffff_ffff_ffffn);
  expect(machine.vcpu.run(1_000_000)).toBe(RunExit.Sync);
  return machine.memory.view.getBigUint64(VcpuState.V, true);
}

describe('half precision', () => {
  it.each([
    // Just above the middle between 1 and the next number: a single or a double would lose the last bit.
    [(1n << 62n) + (1n << 51n) + 1n, 0x7c00n],
    [(1n << 24n) + (1n << 13n) + 1n, 0x3c01n],
    [(1n << 24n) + (1n << 13n), 0x3c00n],
    [(1n << 39n) + (1n << 28n) + 1n, 0x7801n],
    [(1n << 39n) + (1n << 28n), 0x7800n],
    [-((1n << 39n) + (1n << 28n) + 1n), 0xf801n],
  ])('rounds the fixed-point number %d once', (value, expected) => {
    machine.context.setX(0, BigInt.asUintN(64, value));
    expect(run(SCVTF_FIXED)).toBe(expected);
  });

  it('clears what is above a negative integer', () => {
    setV(1, 0xbc00n);
    expect(run(FCVTZS_FIXED)).toBe(0xfffcn);
  });

  it('rounds a multiplication and an addition once', () => {
    // Just below the middle between two numbers, by less than a single can tell: 1 + 2^-10 + 2^-11 * (1 - 2^-20).
    setV(1, 0x3c01n);
    setV(2, 0x0ffen);
    setV(3, 0x3c01n);
    expect(run(FMADD)).toBe(0x3c01n);
    // The middle itself is rounded to even.
    setV(1, 0x3c00n);
    setV(2, 0x1000n);
    expect(run(FMADD)).toBe(0x3c02n);
  });
});
