import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { RecordReader } from './record-reader.ts';

function record(
  number: number,
  body: Uint8Array,
  change: { magic?: number; length?: number; crc?: number } = {},
): Buffer {
  const bytes = Buffer.alloc(16 + body.length + 4);
  bytes.writeUInt32LE(change.magic ?? 0x4b4d_5450, 0);
  bytes.writeUInt32LE(2, 4);
  bytes.writeUInt32LE(number, 8);
  bytes.writeUInt32LE(change.length ?? body.length, 12);
  bytes.set(body, 16);
  bytes.writeUInt32LE(change.crc ?? crc32(bytes.subarray(0, 16 + body.length)), 16 + body.length);
  return bytes;
}

const text = (words: string): Buffer => Buffer.from(words);

function reading(): { reader: RecordReader; bodies: string[] } {
  const bodies: string[] = [];
  const reader = new RecordReader(({ body }) => {
    bodies.push(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
  });
  return { reader, bodies };
}

describe('RecordReader', () => {
  it.each([1, 2, 7, 16, 100, 100_000])('splits a stream into records, %i bytes at a time', (size) => {
    const { reader, bodies } = reading();
    const words = ['', 'a', 'b'.repeat(100_000), 'c'.repeat(65_537), 'd'];
    const stream = Buffer.concat(words.map((word, number) => record(number, text(word))));
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    expect(bodies).toEqual(words);
    expect(reader.atBoundary).toBe(true);
  });

  it('does not look for records in the output of a guest', () => {
    const { reader, bodies } = reading();
    const forged = record(1, text('forged'));
    reader.push(record(0, forged));
    reader.push(record(1, text('real')));
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).toBe('real');
  });

  it('reports an incomplete record', () => {
    const { reader, bodies } = reading();
    reader.push(record(0, text('half')).subarray(0, 18));
    expect(reader.atBoundary).toBe(false);
    expect(bodies).toEqual([]);
  });

  it('restarts counting when the monitor restarts', () => {
    const { reader, bodies } = reading();
    reader.push(record(0, text('a')));
    reader.restart();
    reader.push(record(0, text('b')));
    expect(bodies).toEqual(['a', 'b']);
  });

  it.each([
    ['another magic', record(0, text('x'), { magic: 0x1234 }), 'begins with 0x1234'],
    ['a missing record', record(1, text('x')), 'record 1 came where 0 was due'],
    ['a body without bounds', record(0, text('x'), { length: 0xffff_ffff }), 'a body of 4294967295 bytes'],
    ['a wrong CRC', record(0, text('x'), { crc: 0 }), 'record 0 has a wrong CRC'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => reading().reader.push(bytes)).toThrow(message);
  });
});
