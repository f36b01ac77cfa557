import { describe, expect, it } from 'vitest';

import { expectAnyAccess, expectRestored } from '../../testing/device-bench.ts';
import { TestMemory } from '../../testing/test-memory.ts';
import { FwCfg } from './fw-cfg.ts';

const BASE = 0x4000_0000;
const [READ, SKIP, SELECT, WRITE] = [2, 4, 8, 16] as const;

function made() {
  const memory = new TestMemory(BASE);
  const files = new Map([
    ['opt/second', Buffer.from('the second file')],
    ['etc/first', Uint8Array.of(1, 2, 3)],
  ]);
  const device = new FwCfg({ memory, vcpus: 4, files, items: new Map([[0x14, Uint8Array.of(9)]]) });
  const select = (key: number) => {
    device.write(8, 2, ((key & 0xff) << 8) | (key >>> 8), 0);
  };
  const bytes = (count: number) => Uint8Array.from({ length: count }, () => device.read(0, 1));
  /** @returns what the control field is afterwards */
  const transfer = (control: number, target: number, length: number, at = BASE) => {
    const view = memory.view(BASE, 16);
    view.setUint32(0, control);
    view.setUint32(4, length);
    view.setBigUint64(8, BigInt(target));
    const swap = new DataView(new ArrayBuffer(8));
    swap.setBigUint64(0, BigInt(at));
    device.write(16, 8, swap.getUint32(0, true), swap.getUint32(4, true));
    return view.getUint32(0);
  };
  return { memory, device, select, bytes, transfer };
}

describe('FwCfg', () => {
  it('identifies itself and counts processors', () => {
    const { device, select, bytes } = made();
    expect(Buffer.from(bytes(4)).toString()).toBe('QEMU');
    select(1);
    expect(device.read(0, 4)).toBe(3);
    select(5);
    expect(device.read(0, 2)).toBe(4);
    select(0x14);
    expect(bytes(2)).toEqual(Uint8Array.of(9, 0));
    expect([device.read(16, 4), device.read(20, 4)]).toEqual([0x554d_4551, 0x4746_4320]);
  });

  it('lists its files by name, and has their contents', () => {
    const { select, bytes } = made();
    select(0x19);
    const list = Buffer.from(bytes(4 + 2 * 64));
    expect(list.readUInt32BE(0)).toBe(2);
    const entries = [4, 68].map((at) => [
      list.readUInt32BE(at),
      list.readUInt16BE(at + 4),
      list.toString('latin1', at + 8, at + 64).replace(/\0+$/, ''),
    ]);
    expect(entries).toEqual([
      [3, 0x20, 'etc/first'],
      [15, 0x21, 'opt/second'],
    ]);
    select(0x21);
    expect(Buffer.from(bytes(17)).toString()).toBe('the second file\0\0');
  });

  it('reads and skips by DMA, and fails what it cannot do', () => {
    const { memory, transfer } = made();
    const target = BASE + 0x1000;
    memory.at(target, 16).fill(0xff);
    expect(transfer((0x21 << 16) | SELECT | SKIP, 0, 4)).toBe(0);
    expect(transfer(READ, target, 12)).toBe(0);
    expect(Buffer.from(memory.at(target, 13)).toString('latin1')).toBe('second file\0\xff');
    expect(memory.writes).toContainEqual([target, 12]);
    expect(transfer(WRITE, target, 1)).toBe(1);
    expect(transfer(READ, 16, 1)).toBe(1);
    expect(transfer(READ, target, 0xffff_ffff)).toBe(1);
    expect(transfer((0x7fff << 16) | SELECT | READ, target, 4)).toBe(0);
    expect(memory.at(target, 4)).toEqual(new Uint8Array(4));
    expect(transfer(READ, target, 4, 8)).toBe(READ);
  });

  it('continues from saved state', () => {
    const [first, second] = [made(), made()];
    first.select(0x21);
    first.bytes(4);
    expectRestored(first.device, second.device);
    expect(Buffer.from(second.bytes(6)).toString()).toBe('second');
  });

  it('takes any access', () => {
    expectAnyAccess(made().device, 24);
  });
});
