import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeTelnet, TelnetFilter } from './telnet-filter.ts';
import { cutAt, inPieces, utf8 } from '../testing.ts';

const WILL_ECHO = [0xff, 0xfb, 0x01];
const WILL_SGA = [0xff, 0xfb, 0x03];
const DO_SGA = [0xff, 0xfd, 0x03];
const WONT_ECHO = [0xff, 0xfc, 0x01];
const TERMINAL_TYPE = [0xff, 0xfa, 0x18, 0x01, 0xff, 0xff, 0x02, 0xff, 0xf0];
const NOP = [0xff, 0xf1];

function run(pieces: readonly Uint8Array[]): { readonly data: number[]; readonly replies: number[][] } {
  const replies: number[][] = [];
  const filter = new TelnetFilter((bytes) => replies.push([...bytes]));
  const data = pieces.flatMap((piece) => [...filter.push(piece)]);
  return { data, replies };
}

describe('TelnetFilter', () => {
  const stream = Uint8Array.from([
    ...WILL_ECHO,
    ...WILL_SGA,
    ...DO_SGA,
    ...utf8('NOTICE'),
    ...[0xff, 0xff],
    ...TERMINAL_TYPE,
    ...NOP,
    ...WONT_ECHO,
    ...utf8(':\r\n\0'),
    ...[0xff, 0xff, 0xff, 0xff],
  ]);
  const data = [...utf8('NOTICE'), 0xff, ...utf8(':\r\n\0'), 0xff, 0xff];
  const replies = [
    [0xff, 0xfe, 0x01],
    [0xff, 0xfe, 0x03],
    [0xff, 0xfc, 0x03],
  ];

  it('returns the data and refuses the options, wherever the stream is split', () => {
    for (let at = 0; at <= stream.length; at += 1) expect(run(cutAt(stream, at))).toEqual({ data, replies });
    expect(run([...stream].map((byte) => Uint8Array.of(byte)))).toEqual({ data, replies });
  });

  it('undoes escaping, however the stream is split', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(9)), (bytes, sizes) => {
        const pieces = inPieces(escapeTelnet(bytes), sizes);
        expect(run(pieces)).toEqual({ data: [...bytes], replies: [] });
      }),
    );
  });

  it('returns the same for any bytes, however they are split', () => {
    const byte = fc.oneof(fc.constantFrom(0xff, 0xfa, 0xfb, 0xfd, 0xf0, 0xfe, 0x01, 0x0d), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 100 }), fc.array(fc.nat(9)), (bytes, sizes) => {
        const whole = Uint8Array.from(bytes);
        expect(run(inPieces(whole, sizes))).toEqual(run([whole]));
      }),
    );
  });

  it('passes on a chunk without commands unchanged', () => {
    const filter = new TelnetFilter(() => undefined);
    const chunk = utf8('plain');
    expect(filter.push(chunk)).toBe(chunk);
  });

  it('answers a repeated request once', () => {
    const flood = Uint8Array.from(Array.from({ length: 10_000 }, () => WILL_ECHO).flat());
    expect(run([flood])).toEqual({ data: [], replies: [[0xff, 0xfe, 0x01]] });
  });

  it('recovers from a sub-negotiation that never ends', () => {
    const { data: rest } = run([Uint8Array.of(0xff, 0xfa, 0x18), new Uint8Array(100_000).fill(0x41), utf8('marker\n')]);
    expect(Buffer.from(rest).toString()).toMatch(/^A+marker\n$/);
  });

  it('ends a sub-negotiation at any command', () => {
    expect(run([Uint8Array.of(0xff, 0xfa, 0x18, ...WILL_ECHO, 0x41)])).toEqual({
      data: [0x41],
      replies: [[0xff, 0xfe, 0x01]],
    });
  });
});
