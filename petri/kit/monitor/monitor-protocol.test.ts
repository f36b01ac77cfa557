import { expect, it } from 'vitest';
import { tmk } from '../../payload/index.ts';
import { bootRequests, decodeRecord } from './monitor-protocol.ts';

const COMMAND = 2;

function words(...values: readonly (number | bigint)[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), index * 8));
  return bytes;
}

function decode(type: number, body: Buffer): ReturnType<typeof decodeRecord> {
  return decodeRecord({ type, body: new DataView(body.buffer, body.byteOffset, body.length) });
}

it('returns only the memory that a command record contains', () => {
  const body = Buffer.concat([
    words(0x1000, 8, 0, 2, 0x1000, 4),
    Buffer.from('abcd'),
    words(0x2000, 2),
    Buffer.from('xy'),
  ]);
  const message = decode(COMMAND, body);
  if (message.kind !== 'store') throw new Error(`it is ${message.kind}`);
  expect(message).toMatchObject({ pointer: 0x1000, bytes: 8, waits: false });
  expect(Buffer.from(message.read(0x1000, 4) ?? []).toString()).toBe('abcd');
  expect(Buffer.from(message.read(0x2000, 2) ?? []).toString()).toBe('xy');
  for (const [gpa, length] of [
    [0x1000, 3],
    [0x1001, 3],
    [0x3000, 2],
  ] as const) {
    expect(message.read(gpa, length)).toBeUndefined();
  }
});

it.each([
  ['a range longer than its record', COMMAND, words(0, 8, 0, 1, 0x1000, 1000)],
  ['too many ranges', COMMAND, words(0, 8, 0, 2 ** 40)],
  ['a body that is too short', COMMAND, words(0)],
  ['a state that is too short', 4, words(1, 2, 3)],
  ['an unknown type', 99, words(0)],
])('refuses %s', (_, type, body) => {
  expect(() => decode(type, body)).toThrow();
});

it('rejects a payload that does not fit into RAM before anything is sent', () => {
  const requests = bootRequests(tmk('hello'), { ramBase: 0, ramBytes: 4096 }, 0);
  expect(() => requests.next()).toThrow(expect.objectContaining({ code: 'payload-too-large' }));
});
