import { stripVTControlCharacters } from 'node:util';

import { describe, expect, it } from 'vitest';

import type { IsolationType } from '../contract/index.ts';
import type { Outcome, OutcomeKind } from './outcome.ts';
import { formatSummary, summarize } from './summary.ts';

const backend = { name: 'sim', description: 'simulated' };

function text(tests: Outcome[], unreadFiles = 0): string {
  return stripVTControlCharacters(formatSummary(summarize(tests, unreadFiles), backend).join('\n'));
}

function test(isolation: IsolationType | undefined, kind: OutcomeKind, reason?: string): Outcome {
  return { isolation, kind, reason, cause: kind === 'skipped' ? 'backend' : undefined };
}

describe('the summary of a run', () => {
  it('counts by isolation type and by reason', () => {
    expect(
      text([
        test('cca', 'passed'),
        test('cca', 'passed'),
        test('cca', 'failed'),
        test('snp', 'skipped', 'no snp here'),
        test('cca', 'skipped', 'lacks planes'),
        test('cca', 'skipped', 'lacks planes'),
        test(undefined, 'skipped', 'no compiler'),
      ]),
    ).toBe(
      [
        '    Backend  sim (simulated)',
        '        snp  1 skipped',
        '        cca  1 failed | 2 passed | 2 skipped',
        '    Skipped  2 × lacks planes',
        '             1 × no compiler',
        '             1 × no snp here',
      ].join('\n'),
    );
  });

  it('counts tests that did not run, and files that were not read', () => {
    expect(text([test('cca', 'failed'), test('cca', 'not run'), test('cca', 'not run')], 2)).toBe(
      [
        '    Backend  sim (simulated)',
        '        cca  1 failed | 2 not run',
        '    Not run  2 test files, whose tests are not counted: the run was ended before',
      ].join('\n'),
    );
  });

  it('does not count what a filter left out', () => {
    expect(text([test('cca', 'left out')])).toBe('');
  });

  it('is empty if there was no VM test', () => {
    expect(text([test(undefined, 'passed')])).toBe('');
  });
});
