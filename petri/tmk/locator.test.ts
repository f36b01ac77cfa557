import { describe, expect, it } from 'vitest';
import { tmk } from '../payload/index.ts';
import { isInHole } from './memory-holes.ts';
import { PayloadLocator } from './locator.ts';

const BASE = 0x20_0000;

describe('explainHole', () => {
  const { image } = tmk('hello');
  const { stackStart: _, ...withoutStack } = image;

  it.each([
    [0n, /null pointer/],
    [0xffffn, /null pointer/],
    [0x1_0000n, /^$/],
    [0x1e_ffffn, /^$/],
    [0x1f_0000n, /the stack has overflowed: it ends 0x10000 bytes above/],
    [0x1f_ffffn, /the stack has overflowed: it ends 0x1 bytes above/],
    [0x20_0000n, /^$/],
    [2n ** 48n, /^$/],
  ])('of 0x%s', (address, text) => {
    expect(new PayloadLocator(image, BASE).explainHole(address)).toMatch(text);
  });

  it('does not mention a stack if the image does not say where it is', () => {
    expect(new PayloadLocator(withoutStack, BASE).explainHole(0x1f_fff0n)).toBe('; it is just below the image');
  });
});

it('finds holes only at 0 and below the memory', () => {
  const edges = [-1, 0, 0xffff, 0x1_0000, BASE - 0x1_0001, BASE - 0x1_0000, BASE - 1, BASE];
  expect(edges.map((ipa) => isInHole(ipa, BASE))).toEqual([false, true, true, false, false, true, true, false]);
});

it('finds the stack of our payloads at their lowest addresses, from which it overflows into the hole', () => {
  for (const name of ['hello', 'selftest', 'foreign']) {
    const { stackStart, span } = tmk(name).image;
    expect([stackStart, span.start]).toEqual([0, 0]);
  }
});
