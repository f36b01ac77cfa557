import { describe, expect, it } from 'vitest';

import { affinityOfRecMpidr, indexOfRecMpidr, indexOfTarget } from './mpidr.ts';

const AFF3 = 2 ** 24;

describe('affinities', () => {
  it('name the same REC in both formats', () => {
    for (const mpidr of [0, 5, 0x100, 0x1_0000, AFF3, 0xff_ff_ff_0f]) {
      const target = affinityOfRecMpidr(mpidr);
      const index = indexOfRecMpidr(mpidr);
      expect(indexOfTarget(target % 2 ** 32, Math.floor(target / 2 ** 32), false)).toBe(index);
    }
  });

  it('have Aff3 in bits 39:32 of a PSCI target, and in bits 31:24 of RmiRecMpidr', () => {
    expect(affinityOfRecMpidr(3 * AFF3)).toBe(3 * 2 ** 32);
    expect(indexOfRecMpidr(3 * AFF3)).toBe(3 * 2 ** 20);
    expect(indexOfTarget(0, 3, false)).toBe(3 * 2 ** 20);
  });

  it('are rejected with stray bits, which TF-RMM ignores', () => {
    for (const [low, high] of [
      [0x10, 0],
      [0x8000_0000, 0],
      [AFF3, 0],
      [0, 0x8000_0000],
      [0, 0x100],
    ] as const) {
      expect(indexOfTarget(low, high, false)).toBe(-1);
      expect(indexOfTarget(low, high, true)).toBe(0);
    }
    expect(indexOfRecMpidr(0x10)).toBe(-1);
    expect(indexOfRecMpidr(-1)).toBe(-1);
  });
});
