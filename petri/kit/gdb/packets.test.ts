import { expect, it } from 'vitest';

import { escaped, packet, PACKET_SIZE, PacketReader, type Received } from './packets.ts';

function read(...chunks: (string | Uint8Array)[]): Received[] {
  const reader = new PacketReader();
  const all: Received[] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk as string, 'latin1'));
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      all.push(next);
      if (next.kind === 'overflow') return all;
    }
  }
  return all;
}

it('takes packets, acknowledgements and interrupts apart, wherever the stream is cut', () => {
  const stream = `+$m0,4#fd\x03-noise$?#3f`;
  const expected = ['ack', 'm0,4', 'interrupt', 'nack', '?'];
  const say = (received: Received): string =>
    received.kind === 'packet' ? received.data.toString('latin1') : received.kind;
  expect(read(stream).map(say)).toEqual(expected);
  expect(read(...stream.split(/(?=[^])/)).map(say)).toEqual(expected);
});

it.each(['$?#00', '$?#zz', '$#01', '$m0#+1'])('finds %j corrupt', (text) => {
  expect(read(text)).toEqual([{ kind: 'corrupt' }]);
});

it('carries all bytes', () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  expect(read(packet(escaped(bytes)))).toEqual([{ kind: 'packet', data: bytes }]);
});

it('refuses what has no end, and what is longer than a packet may be', () => {
  const endless = Array.from({ length: 40 }, () => 'x'.repeat(1024));
  expect(read('$', ...endless).at(-1)).toEqual({ kind: 'overflow' });
  expect(read(packet('y'.repeat(2 * PACKET_SIZE + 1))).at(-1)).toEqual({ kind: 'overflow' });
});

it('keeps nothing of noise', () => {
  expect(read('z'.repeat(10 * PACKET_SIZE), '$?#3f').map(({ kind }) => kind)).toEqual(['packet']);
});
