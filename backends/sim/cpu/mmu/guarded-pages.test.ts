import { expect, it } from 'vitest';
import { Descriptor, Registers, Tables, Tcr } from '../testing/table-builder.ts';
import { Stage1Walk } from './stage1-walk.ts';

const GUARDED = 1n << 50n;
const [LEVEL2, LEVEL3] = [0x1000, 0x2000];

it('says of each page and block whether it is guarded', () => {
  const registers = new Registers();
  registers.tcr = Tcr.t0sz(30) | Tcr.ips(5);
  registers.ttbr = [BigInt(LEVEL2), 0n];
  const tables = new Tables();
  const { AccessFlag, Block, Page, Table } = Descriptor;
  tables.set(LEVEL2, BigInt(LEVEL3) | Table);
  tables.set(LEVEL2 + 8, 0x20_0000n | Block | AccessFlag | GUARDED);
  tables.set(LEVEL3, 0x5000n | Page | AccessFlag | GUARDED);
  tables.set(LEVEL3 + 8, 0x6000n | Page | AccessFlag);
  const walk = new Stage1Walk(registers, tables);
  const guarded = [0, 0x1000, 0x20_0000].map((va) => {
    walk.walk(va);
    expect(walk.status).toBe(-1);
    return walk.guarded;
  });
  expect(guarded).toEqual([true, false, true]);
});
