import { describe, expect, it } from 'vitest';

import type { RecordedTest } from './counts.ts';
import { byName, contradictions, type ListedTest } from './listing.ts';

function listed(name: string, reason: string | null): ListedTest {
  return { file: 'a.test.ts', name, isolation: 'cca', skippedOn: { sim: reason } };
}

function ran(name: string, kind: RecordedTest['kind'], more: Partial<RecordedTest> = {}): RecordedTest {
  return { file: 'a.test.ts', name, isolation: 'cca', kind, ...more };
}

function compare(list: ListedTest[], run: RecordedTest[]): string[] {
  return contradictions('sim', byName(list), byName(run));
}

describe('what petri list said and a run did', () => {
  it('agree on tests that ran, were skipped, or skipped themselves', () => {
    const list = [listed('a', null), listed('b', 'no planes'), listed('c', null), listed('d', null)];
    const run = [
      ran('a', 'failed'),
      ran('b', 'skipped', { cause: 'backend' }),
      ran('c', 'skipped', { cause: 'itself' }),
      ran('d', 'not run'),
    ];
    expect(compare(list, run)).toEqual([]);
  });

  it('differ where one runs what the other skips, or does not know it', () => {
    const list = [listed('a', 'no planes'), listed('b', null)];
    const skipped = ran('b', 'skipped', { cause: 'host', reason: 'no RME' });
    expect(compare(list, [ran('a', 'passed'), skipped, ran('c', 'passed')])).toEqual([
      'a.test.ts > cca: a on sim: skipped, no planes; it was passed',
      'a.test.ts > cca: b on sim: runs; it was skipped, no RME',
      'a.test.ts > cca: c is not listed for sim',
    ]);
  });

  it('are compared one by one where tests have the same name', () => {
    const twice = [listed('a', null), listed('a', 'no planes')];
    expect(compare(twice, [ran('a', 'passed'), ran('a', 'skipped', { cause: 'backend' })])).toEqual([]);
    expect(compare(twice, [ran('a', 'passed'), ran('a', 'passed')])).toHaveLength(1);
  });
});
