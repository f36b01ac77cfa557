import { describe, expect, it } from 'vitest';

import { faultIpa } from './data-abort.ts';

describe('faultIpa', () => {
  it.each([
    [0xffff_0000, 0x00ff_ff00, 0, 0xffff_0000],
    [0xffff_0abc, 0x00ff_ff00, 0, 0xffff_0abc],
    // Stage 1 is on: FAR is a virtual address, of which only the offset in the page is used.
    [0x8000_0123, 0xf000_0010, 0, 0xf0_0000_1123],
    [0, 0xfffffff0, 0xfff, 0xf_ffff_ffff_f000],
  ])('of FAR %#x, HPFAR %#x:%#x is %#x', (farLow, hpfarLow, hpfarHigh, ipa) => {
    expect(faultIpa(hpfarLow, hpfarHigh, farLow)).toBe(ipa);
  });
});
