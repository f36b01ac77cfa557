import { beforeEach, describe, expect, it } from 'vitest';

import { Descriptor, Registers, Tables, Tcr } from '../testing/table-builder.ts';
import { Access, FaultStatus } from './regime.ts';
import { Sctlr, Stage1Walk } from './stage1-walk.ts';

const { Read, Write, Execute } = Access;
const { AddressSize, Translation, AccessFlag } = FaultStatus;
const { AccessFlag: AF, Block, Page, Table } = Descriptor;
/** 48 bits of output address. */
const IPS_48 = Tcr.ips(5);
const ROOT = 0x1000_0000;

let registers: Registers;
let tables: Tables;
let walk: Stage1Walk;
beforeEach(() => {
  registers = new Registers();
  tables = new Tables();
  walk = new Stage1Walk(registers, tables);
  registers.ttbr = [BigInt(ROOT), BigInt(ROOT)];
});

type Granule = 12 | 14 | 16;

/** Address of the table that a walk reads at a level: each has the granule's size, for every granule. */
function tableAt(level: number): number {
  return ROOT + level * 0x10_0000;
}

/** Index of an address in the table of a level. */
function indexAt(granule: Granule, level: number, input: number, inputBits: number): number {
  const stride = granule - 3;
  const shift = granule + stride * (3 - level);
  return Math.floor(input / 2 ** shift) % 2 ** Math.min(stride, inputBits - shift);
}

/** Writes the tables of an address down to a level, with the descriptor there. @returns its address */
function build(
  granule: Granule,
  inputBits: number,
  first: number,
  level: number,
  va: number,
  descriptor: bigint,
  table = 0n,
): number {
  const input = va < 0 ? va + 2 ** inputBits : va;
  const half = va < 0 ? 1 : 0;
  registers.tcr |= half === 0 ? Tcr.t0sz(inputBits) | Tcr.tg0[granule] : Tcr.t1sz(inputBits) | Tcr.tg1[granule];
  registers.ttbr[half] = BigInt(tableAt(first));
  for (let at = first; ; at += 1) {
    const address = tableAt(at) + indexAt(granule, at, input, inputBits) * 8;
    if (at === level) {
      tables.set(address, descriptor);
      return address;
    }
    tables.set(address, BigInt(tableAt(at + 1)) | Table | table);
  }
}

/** Walks that end in a leaf: granule, bits of input address, first level, level of the leaf, log2 of its size. */
const LEAVES: readonly (readonly [Granule, number, number, number, number])[] = [
  [12, 48, 0, 1, 30],
  [12, 48, 0, 2, 21],
  [12, 48, 0, 3, 12],
  [12, 40, 0, 3, 12],
  [12, 39, 1, 1, 30],
  [12, 39, 1, 3, 12],
  [12, 31, 1, 3, 12],
  [12, 30, 2, 2, 21],
  [12, 25, 2, 3, 12],
  [14, 48, 0, 2, 25],
  [14, 48, 0, 3, 14],
  [14, 47, 1, 3, 14],
  [14, 37, 1, 3, 14],
  [14, 36, 2, 2, 25],
  [14, 36, 2, 3, 14],
  [14, 25, 3, 3, 14],
  [16, 48, 1, 2, 29],
  [16, 48, 1, 3, 16],
  [16, 43, 1, 3, 16],
  [16, 42, 2, 2, 29],
  [16, 30, 2, 3, 16],
  [16, 29, 3, 3, 16],
  [16, 25, 3, 3, 16],
];

describe.each(LEAVES)('granule 2^%i, %i bits, from level %i to %i', (granule, bits, first, level, size) => {
  beforeEach(() => {
    registers.tcr = IPS_48;
  });

  const kind = level === 3 ? Page : Block;
  const output = 0x5a5a_8000_0000 - (0x5a5a_8000_0000 % 2 ** size);
  const offset = 2 ** size - 0x123;
  const inRange = (2 ** bits / 3) * 2;
  const inLower = inRange - (inRange % 2 ** size) + offset;
  const inUpper = inLower - 2 ** bits;

  it.each([
    ['lower', inLower],
    ['upper', inUpper],
  ])('translates in the %s half', (_half, va) => {
    build(granule, bits, first, level, va, BigInt(output) | kind | AF | Descriptor.attributes(5) | (3n << 8n));
    walk.walk(va);
    expect(walk).toMatchObject({ status: -1, ipa: output + offset, level, attributeIndex: 5, shareability: 3 });
    expect(tables.reads).toHaveLength(level - first + 1);
  });

  it('reports a clear access flag with the level', () => {
    build(granule, bits, first, level, inLower, BigInt(output) | kind);
    walk.walk(inLower);
    expect(walk).toMatchObject({ status: AccessFlag + level, stage2: false });
  });

  it('reports an output address beyond TCR_EL1.IPS with the level, before the access flag', () => {
    registers.tcr = Tcr.ips(1);
    build(granule, bits, first, level, inLower, BigInt(2 ** 36) | kind);
    walk.walk(inLower);
    expect(walk.status).toBe(AddressSize + level);
  });

  it('reports what stage 2 does not map as the address of the descriptor', () => {
    const address = build(granule, bits, first, level, inLower, BigInt(output) | kind | AF);
    tables.faults.add(address);
    walk.walk(inLower);
    expect(walk).toMatchObject({ stage2: true, ipa: address });
  });

  it('takes a descriptor without bit 0 for a Translation fault', () => {
    build(granule, bits, first, level, inLower, (BigInt(output) | kind | AF) & ~1n);
    walk.walk(inLower);
    expect(walk.status).toBe(Translation + level);
  });

  it('faults beyond the input addresses, above and below the half, without reading', () => {
    build(granule, bits, first, level, inLower, BigInt(output) | kind | AF);
    build(granule, bits, first, level, inUpper, BigInt(output) | kind | AF);
    for (const va of [2 ** bits, 2 ** bits + inLower, -(2 ** bits) - 1, -(2 ** bits) - 4096]) {
      walk.walk(va);
      expect([va, walk.status, walk.stage2]).toEqual([va, Translation, false]);
    }
    expect(tables.reads).toEqual([]);
  });
});

describe('reserved descriptors', () => {
  it.each([
    [12, 48, 0, 0],
    [12, 48, 0, 3],
    [14, 48, 0, 0],
    [14, 48, 0, 1],
    [14, 48, 0, 3],
    [16, 48, 1, 1],
    [16, 48, 1, 3],
  ] as const)('are Translation faults: granule 2^%i, a block at level %4$i', (granule, bits, first, level) => {
    registers.tcr = IPS_48;
    build(granule, bits, first, level, 0, Block | AF);
    walk.walk(0);
    expect(walk.status).toBe(Translation + level);
  });
});

describe('TCR_EL1', () => {
  beforeEach(() => {
    registers.tcr = IPS_48;
  });

  it.each([0, 15, 49, 63])('TxSZ %i is out of range: a Translation fault at level 0', (size) => {
    registers.tcr = IPS_48 | BigInt(size) | (BigInt(size) << 16n);
    for (const va of [0, -4096]) {
      walk.walk(va);
      expect(walk.status).toBe(Translation);
    }
    expect(tables.reads).toEqual([]);
  });

  it('EPD0 and EPD1 switch one half off each', () => {
    build(12, 39, 1, 3, 0x1000, Page | AF);
    build(12, 39, 1, 3, -4096, Page | AF);
    const both = registers.tcr;
    const statuses = (tcr: bigint): number[] => {
      registers.tcr = tcr;
      return [0x1000, -4096].map((va) => {
        walk.walk(va);
        return walk.status;
      });
    };
    expect(statuses(both)).toEqual([-1, -1]);
    expect(statuses(both | Tcr.Epd0)).toEqual([Translation, -1]);
    expect(statuses(both | Tcr.Epd1)).toEqual([-1, Translation]);
  });

  it.each([
    [0, 32],
    [1, 36],
    [2, 40],
    [3, 42],
    [4, 44],
    [5, 48],
    [6, 48],
    [7, 48],
  ])('IPS %i limits the base of the tables and a next table to %i bits', (code, bits) => {
    registers.tcr = Tcr.ips(code);
    build(12, 39, 1, 1, 0, BigInt(2 ** (bits - 1)) | Table);
    walk.walk(0);
    expect(walk.status).toBe(Translation + 2);
    if (bits === 48) return;
    build(12, 39, 1, 1, 0, BigInt(2 ** bits) | Table);
    walk.walk(0);
    expect(walk.status).toBe(AddressSize + 1);
    registers.ttbr[0] = BigInt(2 ** bits);
    walk.walk(0);
    expect(walk.status).toBe(AddressSize);
  });
});

describe('TTBR_EL1', () => {
  it('has an ASID above the base, and the bits below the size of the first table are ignored', () => {
    registers.tcr = IPS_48 | Tcr.t0sz(39);
    registers.ttbr[0] = (0xabcdn << 48n) | BigInt(ROOT) | 0xfffn;
    walk.walk(0);
    expect(tables.reads).toEqual([ROOT]);
  });

  it('may point to a table smaller than the granule', () => {
    registers.tcr = IPS_48 | Tcr.t0sz(31);
    registers.ttbr[0] = BigInt(ROOT + 0x10) | 1n;
    walk.walk(2 ** 30);
    expect(tables.reads).toEqual([ROOT + 0x18]);
  });
});

describe('permissions', () => {
  const VA = 0x1234_5000;
  const { User, ReadOnly, Pxn, Uxn, Contiguous, PxnTable, UxnTable, NoUserTable, ReadOnlyTable } = Descriptor;
  const RW = Read | Write;

  function allowed(descriptor: bigint, table = 0n): number[] {
    registers.tcr |= IPS_48;
    build(12, 39, 1, 3, VA, Page | AF | descriptor, table);
    walk.walk(VA);
    expect(walk.status).toBe(-1);
    return [walk.el0, walk.el1];
  }

  it.each([
    ['EL1 only', 0n, [Execute, RW | Execute]],
    ['EL0 too, which keeps EL1 from executing', User, [RW | Execute, RW]],
    ['read-only', ReadOnly, [Execute, Read | Execute]],
    ['read-only, EL0 too', User | ReadOnly, [Read | Execute, Read | Execute]],
    ['UXN', User | ReadOnly | Uxn, [Read, Read | Execute]],
    ['PXN', User | ReadOnly | Pxn, [Read | Execute, Read]],
    ['PXN and UXN', Pxn | Uxn, [0, RW]],
    ['the contiguous hint, which is ignored', Contiguous | Uxn, [0, RW | Execute]],
  ])('%s', (_name, descriptor, expected) => {
    expect(allowed(descriptor)).toEqual(expected);
  });

  it.each([
    ['APTable[0]', NoUserTable, User, [Execute, RW | Execute]],
    ['APTable[1]', ReadOnlyTable, User, [Read | Execute, Read | Execute]],
    ['UXNTable', UxnTable, User | ReadOnly, [Read, Read | Execute]],
    ['PXNTable', PxnTable, 0n, [Execute, RW]],
  ])('%s limits what is below, unless TCR_EL1.HPD0 is set', (_name, table, descriptor, expected) => {
    const direct = allowed(descriptor);
    expect(allowed(descriptor, table)).toEqual(expected);
    expect(expected).not.toEqual(direct);
    registers.tcr |= Tcr.Hpd1;
    expect(allowed(descriptor, table)).toEqual(expected);
    registers.tcr |= Tcr.Hpd0;
    expect(allowed(descriptor, table)).toEqual(direct);
  });

  it('SCTLR_EL1.WXN keeps what is writable from execution, at the level that may write', () => {
    registers.sctlr |= Sctlr.WXN;
    expect(allowed(0n)).toEqual([Execute, RW]);
    expect(allowed(User)).toEqual([RW, RW]);
    expect(allowed(ReadOnly)).toEqual([Execute, Read | Execute]);
    expect(allowed(User | ReadOnly)).toEqual([Read | Execute, Read | Execute]);
  });
});
