import { describe, expect, it } from 'vitest';

import {
  countRun,
  countStep,
  countTable,
  describeCounts,
  isGood,
  listFailures,
  type RecordedRun,
  type RecordedTest,
  sum,
} from './counts.ts';

function record(kinds: RecordedTest['kind'][], more: Partial<RecordedRun> = {}): RecordedRun {
  const tests = kinds.map((kind, index) => ({ file: 'a.test.ts', name: `test ${index}`, kind }));
  return { tests, broken: [], unread: 0, ...more };
}

describe('the counts of the check', () => {
  it('are those of the recorded tests, and of what failed besides them', () => {
    const run = record(['passed', 'passed', 'failed', 'skipped', 'left out', 'not run'], { broken: ['b.test.ts: oh'] });
    expect(countRun(run)).toEqual({ passed: 2, failed: 2, skipped: 2, notRun: 1 });
  });

  it('are those of every backend in the table, the first one too', () => {
    const rows = [
      { verdicts: ['FAIL', 'pass'] as const },
      { verdicts: ['pass', 'skip'] as const },
      { verdicts: ['not run', '-'] as const },
    ];
    expect(countTable({ rows, broken: ['sim: vitest exited with 1'] })).toEqual({
      passed: 2,
      failed: 2,
      skipped: 1,
      notRun: 1,
    });
  });

  it.each([
    ['types, lint and format, which count nothing', { ok: false }],
    ['a run that counted no failure and failed', { ok: false, counts: countRun(record(['passed'])) }],
    ['a vitest that crashed before it wrote anything', { ok: false, counts: countRun(undefined) }],
    ['a table that was never written', { ok: false, counts: countTable(undefined) }],
  ])('never have no failure after a failed step: %s', (_name, step) => {
    expect(countStep(step).failed).toBe(1);
    const steps = [{ ok: true, counts: countRun(record(['passed', 'passed'])) }, step];
    expect(describeCounts(sum(steps))).toMatch(/ 1 failed/);
    expect(isGood(steps)).toBe(false);
  });

  it('count failures once where they are known', () => {
    expect(countStep({ ok: false, counts: countRun(record(['failed', 'failed'])) }).failed).toBe(2);
  });

  it('are good for nothing but tests of which some passed and all came to run', () => {
    expect(isGood([{ ok: true }, { ok: true, counts: countRun(record(['passed', 'skipped'])) }])).toBe(true);
    expect(isGood([{ ok: true }, { ok: true, counts: countRun(record(['skipped'])) }])).toBe(false);
    expect(isGood([{ ok: true, counts: countRun(record(['passed', 'not run'])) }])).toBe(false);
  });

  it('say what did not run only where there is something', () => {
    expect(describeCounts(countRun(record(['passed'])))).toBe('1 passed, 0 failed, 0 skipped');
    expect(describeCounts(countRun(record(['not run'])))).toBe('0 passed, 0 failed, 0 skipped, 1 not run');
  });

  it('come with the names and the causes of what failed', () => {
    const tests: RecordedTest[] = [
      { file: 'a.test.ts', name: 'boots', kind: 'passed' },
      { file: 'a.test.ts', name: 'ends', kind: 'failed', failure: 'expected 1 to be 2' },
    ];
    expect(listFailures({ tests, broken: ['b.test.ts: oh'], unread: 0 })).toEqual([
      'a.test.ts > ends: expected 1 to be 2',
      'b.test.ts: oh',
    ]);
    expect(listFailures(undefined)).toEqual([]);
  });
});
