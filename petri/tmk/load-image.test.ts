import { describe, expect, it } from 'vitest';
import { tmk } from '../payload/index.ts';
import type { TmkPayload, TmkSegment } from '../contract/index.ts';
import { imagePages, placeTmk } from './load-image.ts';

const hello = tmk('hello');

function payloadOf(segments: readonly TmkSegment[]): TmkPayload {
  const last = segments.at(-1);
  const end = Math.ceil(((last?.vaddr ?? 0) + (last?.memsize ?? 0)) / 4096) * 4096;
  return { ...hello, image: { ...hello.image, segments, entry: 0x10, span: { start: 0, end } } };
}

const segment = (vaddr: number, data: readonly number[], memsize = data.length): TmkSegment => ({
  vaddr,
  memsize,
  data: Uint8Array.from(data),
  flags: 6,
});

function load(
  payload: TmkPayload,
  base: number,
): { addresses: number[]; byte: (address: number) => number | undefined } {
  const pages = new Map<number, Uint8Array>();
  const addresses: number[] = [];
  for (const { address, bytes } of imagePages(payload, base)) {
    addresses.push(address);
    pages.set(address, bytes.slice());
  }
  return { addresses, byte: (address) => pages.get(address - (address % 4096))?.[address % 4096] };
}

describe('imagePages', () => {
  it('yields each page once, with all segments that share it, and zeros between and after them', () => {
    const { addresses, byte } = load(
      payloadOf([segment(0xffe, [1, 2, 3]), segment(0x1004, [4], 0x2000), segment(0x5000, [5])]),
      0x10_0000,
    );
    expect(addresses).toEqual([0x10_0000, 0x10_1000, 0x10_2000, 0x10_3000, 0x10_5000]);
    expect(
      [0xffd, 0xffe, 0xfff, 0x1000, 0x1001, 0x1004, 0x1005, 0x3003, 0x5000].map((at) => byte(0x10_0000 + at)),
    ).toEqual([0, 1, 2, 3, 0, 4, 0, 0, 5]);
  });

  it('places every byte of a real image', () => {
    const { byte } = load(hello, 0x8020_0000);
    for (const { vaddr, data, memsize } of hello.image.segments) {
      const loaded = Uint8Array.from({ length: memsize }, (_, at) => byte(0x8020_0000 + vaddr + at) ?? 0xee);
      expect(Buffer.from(loaded.subarray(0, data.length)).equals(data)).toBe(true);
      expect(loaded.subarray(data.length).some((value) => value !== 0)).toBe(false);
    }
  });
});

describe('placeTmk', () => {
  it('puts the start input into the page after the image, which must fit too', () => {
    const payload = payloadOf([segment(0, [1], 0x2fff)]);
    expect(placeTmk(payload, 0x8020_0000, 0x4000)).toEqual({
      base: 0x8020_0000,
      entry: 0x8020_0010,
      startInput: 0x8020_3000,
    });
    expect(() => placeTmk(payload, 0x8020_0000, 0x3fff)).toThrow(
      expect.objectContaining({ code: 'payload-too-large' }),
    );
  });
});
