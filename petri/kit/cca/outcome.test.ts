import { describe, expect, it } from 'vitest';
import { haltOf, type RunResult } from './outcome.ts';

const panic = { kind: 'panic', message: 'the end', file: 'a.c', line: 3 } as const;
const lastLine = 'Error: some tests failed';
const failed = { saysFailed: true, lastLine, verdict: { outcome: { kind: 'failed' }, success: false } } as const;

function halt(result: Partial<RunResult>) {
  return haltOf({ code: 1, report: failed, events: [], ...result });
}

describe('why a VM halted', () => {
  it('is completion if the exit code and the last line of tmk_vmm agree, whatever the guest printed', () => {
    const passed = {
      saysFailed: false,
      lastLine: '',
      verdict: { outcome: { kind: 'passed' }, success: true },
    } as const;
    expect(halt({ code: 0, report: passed, events: [panic] })).toEqual({ reason: 'complete', success: true });
  });

  it('is the panic, failure or fault that tmk_vmm printed', () => {
    expect(halt({ events: [panic] })).toEqual({ reason: 'panic', message: 'the end', location: 'a.c:3' });
    expect(halt({})).toEqual({ reason: 'complete', success: false });
    const faulted = { ...failed, verdict: { outcome: { kind: 'faulted', reason: 'r' }, success: false } } as const;
    expect(halt({ report: faulted })).toEqual({ reason: 'fault', message: 'r' });
    expect(halt({ report: { ...faulted, fatalError: 'HVC' } })).toEqual({ reason: 'fault', message: 'HVC (r)' });
  });

  it('is the guest’s outcome if the test is expected to fail, in both generations of tmk_vmm', () => {
    const asExpected = { saysFailed: false, lastLine: '', verdict: { ...failed.verdict, success: true } } as const;
    expect(halt({ code: 0, report: asExpected })).toEqual({
      reason: 'complete',
      success: false,
    });
    expect(halt({})).toEqual({ reason: 'complete', success: false });
    const passed = { outcome: { kind: 'passed' } } as const;
    const success = { reason: 'complete', success: true };
    const unexpected = { ...failed, verdict: { ...passed, success: false } };
    expect(halt({ report: unexpected })).toEqual(success);
    const plain = { saysFailed: false, lastLine: '', verdict: { ...passed, success: true } };
    expect(halt({ code: 0, report: plain })).toEqual(success);
  });

  it.each<Partial<RunResult>>([
    { code: 101 },
    { code: 139 },
    { report: { ...failed, saysFailed: false, lastLine: 'Error: failed to run test boot' } },
    { report: { saysFailed: true, lastLine } },
    { report: { ...failed, verdict: { outcome: { kind: 'passed' }, success: true } } },
    { code: 0 },
    { code: 0, report: { saysFailed: false, lastLine: '' } },
    { code: Number.NaN },
  ])('is backend-lost if tmk_vmm itself failed: %j', (result) => {
    expect(halt(result)).toMatchObject({ reason: 'backend-lost' });
  });
});
