import { stripVTControlCharacters } from 'node:util';

import { describe, expect, it } from 'vitest';

import { type SummarizedTest, formatSummary, summarize } from './summary.ts';

const backend = { name: 'sim', description: 'simulated' };

function text(tests: SummarizedTest[]): string {
  return stripVTControlCharacters(formatSummary(summarize(tests), backend).join('\n'));
}

function vmTest(tag: string, state: SummarizedTest['state'], note?: string): SummarizedTest {
  return { tags: [tag], state, note };
}

describe('the summary of a run', () => {
  it('counts by isolation type and by reason', () => {
    expect(
      text([
        vmTest('isolation/cca', 'passed'),
        vmTest('isolation/cca', 'passed'),
        vmTest('isolation/cca', 'failed'),
        vmTest('isolation/snp', 'skipped', 'no snp here'),
        vmTest('isolation/cca', 'skipped', 'lacks planes'),
        vmTest('isolation/cca', 'skipped', 'lacks planes'),
        { tags: [], state: 'skipped', note: 'no compiler' },
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

  it('takes a test that began and has no result as failed', () => {
    expect(text([vmTest('isolation/cca', 'pending')])).toContain('1 failed');
  });

  it('does not count what a filter left out', () => {
    expect(text([vmTest('isolation/cca', 'skipped')])).toBe('');
  });

  it('says nothing when no test was a VM test', () => {
    expect(text([{ tags: ['mine'], state: 'passed', note: undefined }])).toBe('');
  });
});
