import { describe, expect, it } from 'vitest';

import { type Machine, MachinePool } from './machine-pool.ts';

const MIB = 1024 * 1024;

/** Offset of the first byte of DRAM that is not zero, or -1. */
function firstByteLeft({ dram, linear }: Machine, bytes: number): number {
  return linear.u8.subarray(dram.offset, dram.offset + bytes).findIndex((byte) => byte !== 0);
}

describe('MachinePool', () => {
  it('reuses a machine after clearing its memory', () => {
    const pool = new MachinePool();
    const first = pool.acquire(1 * MIB);
    const offset = first.dram.offset + 4096;
    first.linear.u8.fill(0xa5, offset, offset + 100);
    pool.release(first, [{ offset, bytes: 100 }]);
    const second = pool.acquire(2 * MIB);
    expect(second === first).toBe(true);
    expect(firstByteLeft(second, MIB)).toBe(-1);
    expect(pool.acquire(1 * MIB) === first).toBe(false);
  });

  it('makes another machine for another size', () => {
    const pool = new MachinePool();
    const first = pool.acquire(1 * MIB);
    pool.release(first, []);
    expect(pool.acquire(100 * MIB).dram.bytes).toBeGreaterThanOrEqual(100 * MIB);
  });

  it('discards machines beyond its capacity', () => {
    const pool = new MachinePool();
    const machines = Array.from({ length: 6 }, () => pool.acquire(1 * MIB));
    for (const machine of machines) pool.release(machine, []);
    const again = machines.map(() => pool.acquire(1 * MIB));
    expect(again.filter((machine) => machines.includes(machine)).length).toBeLessThan(machines.length);
  });

  it('discards a machine with too much written memory', () => {
    const pool = new MachinePool();
    const first = pool.acquire(128 * MIB);
    pool.release(first, [{ offset: first.dram.offset, bytes: 100 * MIB }]);
    expect(pool.acquire(128 * MIB) === first).toBe(false);
  });
});
