import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { features, type Feature } from '../contract/index.ts';
import { all, any, certainFeatures, describeRequirement, not, unmet, type Requirement } from './requirement.ts';

describe('what a test requires', () => {
  it.each<[string, Requirement, Feature[], string | undefined]>([
    ['nothing', [], [], undefined],
    ['a feature that is there', 'planes', ['planes'], undefined],
    ['features of which some are missing', ['tmk', 'planes', 'exec'], ['tmk'], "does not have 'planes', 'exec'"],
    ['any of two, one there', any('exec', 'serial.write'), ['serial.write'], undefined],
    ['any of two, none there', any('exec', 'serial.write'), ['tmk'], "does not meet ('exec' or 'serial.write')"],
    ['not a feature, and it is not there', not('reset'), [], undefined],
    ['not a feature, and it is there', not('reset'), ['reset'], "has 'reset', without which the test is to run"],
    [
      'several things at once',
      all('planes', any('exec', 'serial.write'), not('reset')),
      ['reset'],
      "does not have 'planes' and has 'reset', without which the test is to run and does not meet ('exec' or 'serial.write')",
    ],
    ['not all of them', not(all('exec', 'reset')), ['exec', 'reset'], "does not meet (not 'exec' or not 'reset')"],
  ])('is said in words where it is not met: %s', (_what, requirement, available, expected) => {
    expect(unmet(requirement, available)).toBe(expected);
  });

  it('is described as a person says it', () => {
    expect(describeRequirement(['planes', any('exec', ['serial.write', not('reset')])])).toBe(
      'planes and (exec or (serial.write and not reset))',
    );
    expect(describeRequirement([])).toBe('');
  });

  it('has features without which it is never met', () => {
    expect(certainFeatures(['planes', any('exec', 'reset'), not('linux'), all('tmk', 'planes')])).toEqual([
      'planes',
      'tmk',
    ]);
    expect(certainFeatures(any('exec'))).toEqual(['exec']);
  });

  const { requirement } = fc.letrec<{ requirement: Requirement }>((tie) => ({
    requirement: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<Requirement>(...features),
      fc.array(tie('requirement'), { maxLength: 3 }),
      fc.array(tie('requirement'), { maxLength: 3 }).map((of) => all(...of)),
      fc.array(tie('requirement'), { minLength: 1, maxLength: 3 }).map((of) => any(...of)),
      tie('requirement').map((of) => not(of)),
    ),
  }));
  const available = fc.subarray<Feature>([...features]);

  function holds(one: Requirement, has: readonly Feature[]): boolean {
    if (typeof one === 'string') return has.includes(one);
    if (Array.isArray(one)) return (one as Requirement[]).every((each) => holds(each, has));
    if ('all' in one) return one.all.every((each) => holds(each, has));
    if ('any' in one) return one.any.some((each) => holds(each, has));
    return 'not' in one && !holds(one.not, has);
  }

  it('is met exactly where its logic says, and its certain features are certain', () => {
    fc.assert(
      fc.property(requirement, available, (one, has) => {
        expect(unmet(one, has) === undefined).toBe(holds(one, has));
        if (holds(one, has)) expect(has).toEqual(expect.arrayContaining(certainFeatures(one)));
        expect(unmet(one, has)).not.toBe('');
      }),
    );
  });
});
