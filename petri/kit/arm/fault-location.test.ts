import { expect, it } from 'vitest';
import { faultOrigin } from './fault-location.ts';
import { PayloadLocator } from '../../tmk/index.ts';

const locator = new PayloadLocator(
  {
    tests: [],
    segments: [],
    entry: 0,
    span: { start: 0, end: 0x1000 },
    symbolAt: (address) => {
      if (address >= 0x200) return undefined;
      return address < 0x100 ? { name: 'calls', offset: address } : { name: 'next', offset: address - 0x100 };
    },
  },
  0x8000,
);

function origin(pc: bigint, link: bigint): string {
  const x = Array.from({ length: 31 }, (_, index) => (index === 30 ? link : 0n));
  return faultOrigin(undefined, { x, sp: 0n, pc, pstate: 0n }, locator);
}

it('names the calling function, even if the call is its last instruction', () => {
  expect(origin(0n, 0x8040n)).toBe('; the link register is 0x8040 (calls+0x40)');
  expect(origin(0n, 0x8100n)).toBe('; the link register is 0x8100 (calls+0x100)');
  expect(origin(0n, 0x8104n)).toBe('; the link register is 0x8104 (next+0x4)');
});

it('is empty without a link register, or if the symbol is enough', () => {
  expect(origin(0n, 0n)).toBe('');
  expect(origin(0n, 0x9000n)).toBe('');
  expect(origin(0x8010n, 0x8040n)).toBe('');
});
