import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { TmkEvent } from '../contract/index.ts';
import { COMMAND_SIZE, MAX_STRING_BYTES, decodeCommand, encodeStartInput, type ReadGuestMemory } from './protocol.ts';
import { words } from '../elf/testing.ts';

const RAM = 0x8000_0000;
const ram = new Uint8Array(0x2_0000);
ram.set(new TextEncoder().encode('hello wörld'), 0x100);
ram.set(new TextEncoder().encode('src/main.rs'), 0x200);
ram.set([0xc3, 0x28], 0x300);
ram.set([0xed, 0xa0, 0x80], 0x310);
ram.set([0xef, 0xbb, 0xbf, 0x41], 0x320);

const read: ReadGuestMemory = (gpa, length) =>
  gpa >= RAM && gpa + length <= RAM + ram.length ? ram.subarray(gpa - RAM, gpa - RAM + length) : undefined;

function decode(values: readonly (number | bigint)[]): TmkEvent {
  return decodeCommand(words([...values, ...Array<number>(6 - values.length).fill(0)]), read);
}

it('the start input holds the command address and the test', () => {
  expect(encodeStartInput(3)).toEqual(words([0xffff_0000, 3]));
});

describe('a command', () => {
  it('log', () => {
    expect(decode([0, RAM + 0x100, 12])).toEqual({ kind: 'log', message: 'hello wörld' });
  });

  it('empty log, wherever it points', () => {
    expect(decode([0, 1, 0])).toEqual({ kind: 'log', message: '' });
    expect(decode([0, 2n ** 64n - 1n, 0])).toEqual({ kind: 'log', message: '' });
  });

  it('log that begins with a byte order mark', () => {
    expect(decode([0, RAM + 0x320, 4])).toEqual({ kind: 'log', message: '\ufeffA' });
  });

  it('panic', () => {
    expect(decode([1, RAM + 0x100, 5, RAM + 0x200, 11, 42n | (0xdeadn << 32n)])).toEqual({
      kind: 'panic',
      message: 'hello',
      file: 'src/main.rs',
      line: 42,
    });
  });

  it('complete', () => {
    expect(decode([2n | (1n << 32n)])).toEqual({ kind: 'complete', success: true });
    expect(decode([2])).toEqual({ kind: 'complete', success: false });
  });

  it('with random data in unused fields', () => {
    expect(decode([0xdead_beefn << 32n, RAM + 0x100, 5, -1, -1, -1])).toEqual({ kind: 'log', message: 'hello' });
    expect(decode([2n | (0xffff_ff01n << 32n), -1])).toEqual({ kind: 'complete', success: true });
  });

  it('with the longest string that is accepted', () => {
    expect(decode([0, RAM + 0x1000, MAX_STRING_BYTES])).toMatchObject({ kind: 'log' });
  });
});

describe('a command is rejected for', () => {
  it.each<[string, readonly (number | bigint)[], string]>([
    ['its discriminant', [3], 'unknown command 3 (log is 0, panic 1, complete 2)'],
    ['its discriminant of 32 bits', [0xffff_ffff], 'unknown command 4294967295'],
    ['a bool', [2n | (2n << 32n)], 'complete: success is 2, a bool is 0 or 1'],
    ['a pointer outside of RAM', [0, 0x1000, 4], 'log: message of 0x4 bytes at 0x1000 is outside of RAM'],
    ['a string across the end of RAM', [0, RAM + ram.length - 2, 4], 'is outside of RAM'],
    ['a pointer of 2^63', [0, 2n ** 63n, 4], 'log: message of 0x4 bytes at 0x8000000000000000 is outside of RAM'],
    ['a string that wraps', [0, -2, 4], 'log: message of 0x4 bytes at 0xfffffffffffffffe is outside of RAM'],
    ['a length of 2^63', [0, RAM, 2n ** 63n], 'message of 0x8000000000000000 bytes at 0x80000000 is longer than 65536'],
    ['a long string', [0, RAM, MAX_STRING_BYTES + 1], 'is longer than 65536 bytes'],
    ['invalid UTF-8', [0, RAM + 0x300, 2], 'log: message of 0x2 bytes at 0x80000300 is not valid UTF-8'],
    ['a surrogate', [0, RAM + 0x310, 3], 'is not valid UTF-8'],
    ['half a character', [0, RAM + 0x100, 8], 'is not valid UTF-8'],
    ['the file of a panic', [1, RAM + 0x100, 5, 0, 3, 1], 'panic: file name of 0x3 bytes at 0x0 is outside of RAM'],
  ])('%s', (_, values, message) => {
    const event = decode(values);
    expect(event).toMatchObject({ kind: 'rejected' });
    expect(event.kind === 'rejected' && event.message).toContain(message);
  });

  it('its size', () => {
    expect(decodeCommand(new Uint8Array(47), read)).toEqual({
      kind: 'rejected',
      message: 'the command has 47 of 48 bytes',
    });
  });

  it('memory that is read short', () => {
    expect(decodeCommand(words([0, RAM, 4, 0, 0, 0]), () => new Uint8Array(3))).toMatchObject({ kind: 'rejected' });
  });
});

it('any block results in an event, and reads only RAM', () => {
  const word = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.nat(0x1_ffff).map((offset) => BigInt(RAM + offset)),
    fc.nat(300).map(BigInt),
    fc.constantFrom(0n, 1n, 2n, 2n | (1n << 32n), 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  );
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(word, { minLength: 6, maxLength: 6 }), (values) => {
      const block = words(values);
      expect(block.length).toBe(COMMAND_SIZE);
      const event = decodeCommand(block, (gpa, length) => {
        expect(Number.isSafeInteger(gpa + length)).toBe(true);
        expect(length).toBeLessThanOrEqual(MAX_STRING_BYTES);
        return read(gpa, length);
      });
      seen.add(event.kind);
    }),
    { numRuns: 20_000, seed: 1 },
  );
  expect([...seen].sort()).toEqual(['complete', 'log', 'panic', 'rejected']);
});
