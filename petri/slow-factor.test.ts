import { describe, expect, it } from 'vitest';
import { slowFactor } from './slow-factor.ts';

describe('slowFactor', () => {
  it.each([
    [undefined, 1],
    ['', 1],
    ['2', 2],
    ['0.5', 0.5],
  ])('takes %s for %d', (value, factor) => {
    expect(slowFactor({ PETRI_SLOW_FACTOR: value })).toBe(factor);
  });

  it.each(['0', '-1', 'slow', 'Infinity', '1e9', 'NaN'])('refuses %s', (value) => {
    expect(() => slowFactor({ PETRI_SLOW_FACTOR: value })).toThrow(`PETRI_SLOW_FACTOR is "${value}"`);
  });
});
