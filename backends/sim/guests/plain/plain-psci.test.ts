import { describe, expect, it } from 'vitest';

import { servePsci } from './plain-psci.ts';

describe('servePsci', () => {
  it('is PSCI 1.1 for a machine with one PE', () => {
    expect(servePsci(0x8400_0000, 0)).toEqual({ kind: 'value', value: 0x1_0001n });
    expect(servePsci(0x8400_0006, 0)).toEqual({ kind: 'value', value: 2n });
    expect(servePsci(0x8400_0008, 0)).toEqual({ kind: 'power-off' });
    expect(servePsci(0x8400_0009, 0)).toEqual({ kind: 'reset' });
    expect(servePsci(0x8400_000a, 0x8400_0008)).toEqual({ kind: 'value', value: 0n });
    expect(servePsci(0x8400_000a, 0xc400_0003)).toEqual({ kind: 'value', value: -1n });
    expect(servePsci(0xc400_0003, 0)).toEqual({ kind: 'unknown' });
  });
});
