import { beforeEach, describe, expect, it } from 'vitest';
import { ESR_EL1, hvc, TestMachine } from '../../testing/test-machine.ts';
import { ExceptionClass, RunExit } from '../../types.ts';
import { VcpuState } from '../../layout.ts';

/** LD4 and ST4 {V30.16B, V31.16B, V0.16B, V1.16B}, [X1]; LD4 {V4.8H-V7.8H}, [X1]. */
const LD4_BYTES = 0x4c40_003e;
const ST4_BYTES = 0x4c00_003e;
const LD4_HALFWORDS = 0x4c40_0424;

const PAGE = 4096;
const BYTES = 64;
/** 24 bytes before a page boundary; the two pages are not adjacent in physical memory. */
const ACROSS = TestMachine.DATA + PAGE - 24;

let machine: TestMachine;
beforeEach(() => {
  machine = new TestMachine();
});

function run(word: number, address: number): void {
  machine.load([word, hvc(0)]);
  machine.context.pc = BigInt(TestMachine.CODE);
  machine.context.setX(1, BigInt(address));
  expect(machine.vcpu.run(1_000_000)).toBe(RunExit.Sync);
}

function guestBytes(from: number): Uint8Array {
  return Uint8Array.from({ length: BYTES }, (_, at) => machine.memory.u8[machine.offset(from + at)] ?? 0);
}

const registers = [30, 31, 0, 1];

describe('structure loads and stores', () => {
  it('load elements from two pages', () => {
    for (let at = 0; at < BYTES; at += 1) machine.memory.u8[machine.offset(ACROSS + at)] = at;
    run(LD4_BYTES, ACROSS);
    expect(machine.vcpu.exit.ec).toBe(ExceptionClass.Hvc64);
    for (const [k, register] of registers.entries()) {
      const from = VcpuState.V + register * 16;
      const expected = Array.from({ length: 16 }, (_, lane) => lane * 4 + k);
      expect([...machine.memory.u8.subarray(from, from + 16)]).toEqual(expected);
    }
  });

  it('store elements to two pages', () => {
    for (const [k, register] of registers.entries()) {
      for (let lane = 0; lane < 16; lane += 1) machine.memory.u8[VcpuState.V + register * 16 + lane] = lane * 4 + k;
    }
    run(ST4_BYTES, ACROSS);
    expect([...guestBytes(ACROSS)]).toEqual(Array.from({ length: BYTES }, (_, at) => at));
  });

  it('need the alignment of an element, not of the whole structure', () => {
    run(LD4_HALFWORDS, TestMachine.DATA + 2);
    expect(machine.context.sysreg(ESR_EL1)).toBe(0n);
    run(LD4_HALFWORDS, TestMachine.DATA + 1);
    expect(Number((machine.context.sysreg(ESR_EL1) ?? 0n) >> 26n)).toBe(ExceptionClass.DataAbortSame);
  });
});
