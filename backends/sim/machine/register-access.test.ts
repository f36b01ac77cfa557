import { describe, expect, it } from 'vitest';

import { completeRead, writeValueHigh, writeValueLow } from './register-access.ts';

interface Access {
  readonly sas: number;
  readonly signExtend: boolean;
  readonly wide: boolean;
  readonly register: number;
  readonly write: boolean;
}

function esrOf({ sas, signExtend, wide, register, write }: Access): number {
  const bits =
    (0x24 << 26) |
    (1 << 25) |
    (1 << 24) |
    (sas << 22) |
    (Number(signExtend) << 21) |
    (register << 16) |
    (Number(wide) << 15) |
    (Number(write) << 6) |
    0x06;
  return bits >>> 0;
}

const accesses = (write: boolean): Access[] =>
  [0, 1, 2, 3].flatMap((sas) =>
    [false, true].flatMap((signExtend) =>
      [false, true].flatMap((wide) => [0, 7, 30, 31].map((register) => ({ sas, signExtend, wide, register, write }))),
    ),
  );

/** Index of X0; the words before it do not belong to the registers. */
const GPRS = 4;

function registers(fill: (n: number) => bigint): Uint32Array {
  const memory = new Uint32Array(GPRS + 62 + 4);
  const wide = new BigUint64Array(memory.buffer);
  for (let n = 0; n < 31; n++) wide[GPRS / 2 + n] = fill(n);
  return memory;
}

const value = (memory: Uint32Array, n: number): bigint => new BigUint64Array(memory.buffer)[GPRS / 2 + n] ?? 0n;

describe('a read', () => {
  // Once with bits 7, 15, 31 and 63 set, so that sign extension shows, and once with them clear.
  it.each([
    ['negative', 0x8182_8384_9192_9394n],
    ['positive', 0x0102_0304_1112_1314n],
    ['all ones', 0xffff_ffff_ffff_ffffn],
  ])('extends a %s value as the load would, for every size, sign, width and register', (_, data) => {
    for (const access of accesses(false)) {
      const esr = esrOf(access);
      const memory = registers((n) => 0xdead_0000_0000_0000n + BigInt(n));
      const before = memory.slice();
      // A device returns its bytes in the low bits.
      const bits = 8 << access.sas;
      const given = BigInt.asUintN(bits, data);
      completeRead(memory, GPRS, esr, Number(BigInt.asUintN(32, data)), Number(data >> 32n));
      if (access.register === 31) {
        expect(memory, JSON.stringify(access)).toEqual(before);
        continue;
      }
      const extended = access.signExtend ? BigInt.asUintN(64, BigInt.asIntN(bits, given)) : given;
      const expected = access.wide ? extended : BigInt.asUintN(32, extended);
      expect(value(memory, access.register), JSON.stringify(access)).toBe(expected);
      for (let n = 0; n < 31; n++) {
        if (n !== access.register) expect(value(memory, n)).toBe(0xdead_0000_0000_0000n + BigInt(n));
      }
    }
  });
});

describe('a write', () => {
  it('takes the low bytes of the register, and zero from the zero register', () => {
    for (const access of accesses(true)) {
      const esr = esrOf(access);
      const memory = registers((n) => 0x8182_8384_9192_9300n + BigInt(n));
      const bits = 8 << access.sas;
      const expected =
        access.register === 31 ? 0n : BigInt.asUintN(bits, 0x8182_8384_9192_9300n + BigInt(access.register));
      const got = (BigInt(writeValueHigh(memory, GPRS, esr)) << 32n) | BigInt(writeValueLow(memory, GPRS, esr));
      expect(got, JSON.stringify(access)).toBe(expected);
    }
  });
});
