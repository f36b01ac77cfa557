import { describe, expect, it } from 'vitest';
import { haltOf } from './outcome.ts';

const failed = { saysFailed: true, lastLine: 'Error: some tests failed', verdict: { kind: 'failed' } } as const;
const panic = { kind: 'panic', message: 'the end', file: 'a.c', line: 3 } as const;

describe('why a VM halted', () => {
  it('is completion where tmk_vmm says so by its exit code, whatever was printed', () => {
    expect(haltOf({ code: 0, report: failed, events: [panic] })).toEqual({ reason: 'complete', success: true });
  });

  it('is a panic, a failure or a fault, as tmk_vmm printed it', () => {
    expect(haltOf({ code: 1, report: failed, events: [panic] })).toEqual({
      reason: 'panic',
      message: 'the end',
      location: 'a.c:3',
    });
    expect(haltOf({ code: 1, report: failed, events: [] })).toEqual({ reason: 'complete', success: false });
    expect(haltOf({ code: 1, report: { ...failed, verdict: { kind: 'faulted', reason: 'r' } }, events: [] })).toEqual({
      reason: 'fault',
      message: 'r',
    });
  });

  it.each([
    { code: 101, report: failed },
    { code: 139, report: failed },
    { code: 1, report: { ...failed, saysFailed: false, lastLine: 'Error: failed to run test boot' } },
    { code: 1, report: { saysFailed: true, lastLine: 'Error: some tests failed' } },
    { code: 1, report: { ...failed, verdict: { kind: 'passed' } as const } },
    { code: Number.NaN, report: failed },
  ])('is nobody’s verdict where tmk_vmm itself failed: $code, $report', ({ code, report }) => {
    expect(haltOf({ code, report, events: [] })).toMatchObject({ reason: 'backend-lost' });
  });
});
