import { expect, it } from 'vitest';
import { tierDifferences } from '../testing/compare.ts';
import { pacStripping, pointerAuthentication } from './pointer-authentication.ts';

// No other implementation has these codes, so only the tiers can be compared with each other.
it('interpreted and compiled code agree on pointer authentication', () => {
  expect(tierDifferences(1, 10, [...pointerAuthentication, ...pacStripping])).toEqual([]);
});
