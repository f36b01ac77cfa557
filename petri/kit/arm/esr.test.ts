import { expect, it } from 'vitest';

import { accessBytes, hasValidSyndrome, isWrite, transferRegister, ZERO_REGISTER } from './esr.ts';

/** ESR_EL2 of a store of X0 to X30, or of XZR, of 8 bytes. */
const store64 = (register: number): number => 0x93c0_8046 + (register << 16);

it('reads size, direction, register and validity from the syndrome of a data abort', () => {
  expect([0, 1, 2, 3].map((sas) => accessBytes(((0x9300_8046 & ~(3 << 22)) | (sas << 22)) >>> 0))).toEqual([
    1, 2, 4, 8,
  ]);
  expect(isWrite(store64(0))).toBe(true);
  expect(isWrite(store64(0) & ~0x40)).toBe(false);
  expect([0, 7, 30, 31].map((register) => transferRegister(store64(register)))).toEqual([0, 7, 30, ZERO_REGISTER]);
  expect(hasValidSyndrome(store64(0))).toBe(true);
  expect(hasValidSyndrome(0x9200_0046)).toBe(false);
});
