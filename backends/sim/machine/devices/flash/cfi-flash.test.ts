import { describe, expect, it } from 'vitest';

import { expectAnyAccess, expectRestored } from '../../testing/device-bench.ts';
import { TestMemory } from '../../testing/test-memory.ts';
import { CfiFlash, ERASE_BLOCK_BYTES } from './cfi-flash.ts';

const BASE = 0x400_0000;
const BYTES = 1024 * 1024;
/** A command, to both chips. */
const both = (command: number): number => (command << 16) | command;

function made() {
  const memory = new TestMemory(BASE, BYTES);
  memory.bytes.fill(0xff);
  const modes: boolean[] = [];
  const device = new CfiFlash({ memory, base: BASE, bytes: BYTES, onMode: (readable) => modes.push(readable) });
  const write = (offset: number, value: number) => {
    device.write(offset, 4, value >>> 0, 0);
  };
  const read = (offset: number) => device.read(offset, 4) >>> 0;
  return { memory, modes, device, write, read };
}

describe('CfiFlash', () => {
  it('reads as its contents, by any size', () => {
    const { memory, device } = made();
    memory.bytes.set([1, 2, 3, 4], 0x1000);
    expect([device.read(0x1000, 4), device.read(0x1002, 2), device.read(0x1003, 1)]).toEqual([0x0403_0201, 0x0403, 4]);
    expect(device.readable).toBe(true);
  });

  it('answers queries of each of its two chips', () => {
    const { device, read, write } = made();
    write(0x55 * 4, both(0x98));
    const text = [0x10, 0x11, 0x12].map((at) =>
      String.fromCharCode(device.read(at * 4, 1), device.read(at * 4 + 2, 1)),
    );
    expect(text.join('')).toBe('QQRRYY');
    const table = (at: number) => read(4 * at) & 0xff;
    expect([table(0x13), table(0x15), table(0x31), table(0x27)]).toEqual([1, 0x31, 0x50, 19]);
    const blocks = table(0x2d) + 256 * table(0x2e) + 1;
    const blockBytes = 2 * 256 * (table(0x2f) + 256 * table(0x30));
    expect([table(0x2c), blocks, blockBytes, blocks * blockBytes]).toEqual([1, 4, ERASE_BLOCK_BYTES, BYTES]);
    write(0, both(0x90));
    expect([read(0), read(4), read(8)]).toEqual([both(0x89), both(0x18), 0]);
    write(0, both(0xff));
    expect(read(0)).toBe(0xffff_ffff);
  });

  it('programs words, which only clears bits, and has a status', () => {
    const { memory, modes, read, write } = made();
    write(0x2000, both(0x40));
    write(0x2000, 0x1234_5678);
    expect(read(0x2000)).toBe(both(0x80));
    write(0x2000, both(0x10));
    write(0x2000, 0xff00_ff00);
    write(0, both(0xff));
    expect(read(0x2000)).toBe(0x1200_5600);
    expect(modes).toEqual([false, true]);
    expect(memory.writes).toEqual([
      [BASE + 0x2000, 4],
      [BASE + 0x2000, 4],
    ]);
  });

  it('erases blocks, and only with its confirmation', () => {
    const { memory, read, write } = made();
    memory.bytes.fill(0);
    write(ERASE_BLOCK_BYTES + 8, both(0x20));
    write(ERASE_BLOCK_BYTES + 8, both(0xd0));
    expect(read(0)).toBe(both(0x80));
    write(0, both(0xff));
    const edges = [ERASE_BLOCK_BYTES - 4, ERASE_BLOCK_BYTES, 2 * ERASE_BLOCK_BYTES - 4, 2 * ERASE_BLOCK_BYTES];
    expect(edges.map(read)).toEqual([0, 0xffff_ffff, 0xffff_ffff, 0]);
    write(0, both(0x20));
    write(0, both(0xff));
    expect(read(0)).toBe(both(0xb0));
    write(0, both(0x50));
    expect(read(0)).toBe(0);
  });

  it('programs a buffer after its confirmation', () => {
    const { device, read, write } = made();
    write(0x3000, both(0xe8));
    expect(read(0x3000)).toBe(both(0x80));
    write(0x3000, both(3));
    write(0x3000, 1);
    write(0x3004, 2);
    device.write(0x3008, 8, 3, 4);
    write(0x3000, both(0xd0));
    expect(read(0)).toBe(both(0x80));
    write(0, both(0xff));
    expect([0x3000, 0x3004, 0x3008, 0x300c, 0x3010].map(read)).toEqual([1, 2, 3, 4, 0xffff_ffff]);
  });

  it('fails a buffer that is too large, leaves its block, or is not confirmed', () => {
    const attempts: ((write: (offset: number, value: number) => void) => void)[] = [
      (write) => {
        write(0, both(1024));
      },
      (write) => {
        write(0, both(0));
        write(ERASE_BLOCK_BYTES, 0);
      },
      (write) => {
        write(0, both(0));
        write(0, 0);
        write(0, both(0xff));
      },
    ];
    for (const attempt of attempts) {
      const { memory, read, write } = made();
      write(0, both(0xe8));
      attempt(write);
      expect(read(0)).toBe(both(0xb0));
      expect(memory.bytes.every((byte) => byte === 0xff)).toBe(true);
    }
  });

  it('continues from saved state', () => {
    const [first, second] = [made(), made()];
    first.write(0x3000, both(0xe8));
    first.write(0x3000, both(1));
    first.write(0x3000, 5);
    expectRestored(first.device, second.device);
    second.write(0x3004, 6);
    second.write(0x3000, both(0xd0));
    second.write(0, both(0xff));
    expect([second.read(0x3000), second.read(0x3004), second.modes]).toEqual([5, 6, [false, true]]);
  });

  it('takes any access', () => {
    expectAnyAccess(made().device, 0x200);
  });
});
