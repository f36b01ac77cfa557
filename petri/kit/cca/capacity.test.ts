import { describe, expect, it } from 'vitest';
import { machineSlots } from './capacity.ts';

const model = { variable: 'PETRI_FVP_MODELS', noun: 'models', memory: 6 * 2 ** 30, cores: 2 };

describe('how many machines run at once', () => {
  const GIB = 2 ** 30;

  it.each([
    [{ memory: 64 * GIB, cores: 16 }, 8],
    [{ memory: 16 * GIB, cores: 16 }, 2],
    [{ memory: 64 * GIB, cores: 3 }, 1],
    [{ memory: 2 * GIB, cores: 1 }, 1],
  ])('is bounded by %j: %i', (machine, models) => {
    expect(machineSlots(model, {}, machine)).toBe(models);
  });

  it('is set by the variable', () => {
    expect(machineSlots(model, { PETRI_FVP_MODELS: '5' })).toBe(5);
    for (const wrong of ['0', '-1', 'x', '1.5', '1000']) {
      expect(() => machineSlots(model, { PETRI_FVP_MODELS: wrong })).toThrow(/is not a number of models/);
    }
  });
});
