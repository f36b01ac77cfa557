import { describe, expect, it } from 'vitest';
import type { TmkEvent, HaltReason, TmkTest } from '../contract/index.ts';
import { judge } from './verdict.ts';

const registers = { x: [], sp: 0n, pc: 0x8000_0123n, pstate: 0n };
const fault: HaltReason = {
  reason: 'fault',
  message: 'instruction abort at IPA 0x0',
  registers,
  symbol: { name: 'abort_test', offset: 0x10 },
};
const passed: TmkEvent = { kind: 'complete', success: true };
const failed: TmkEvent = { kind: 'complete', success: false };
const panicked: TmkEvent = { kind: 'panic', message: 'no', file: 'a.rs', line: 7 };
const reached: TmkEvent = { kind: 'log', message: 'running test a::b' };
const rejected: TmkEvent = { kind: 'rejected', message: 'discriminant 9' };

function test(expectedFailure: boolean): TmkTest {
  return { index: 0, name: 'a::b', expectedFailure, linuxOnly: false };
}

describe('judge', () => {
  const done: HaltReason = { reason: 'complete', success: true };
  it.each<[string, TmkEvent[], HaltReason, 'pass' | 'fail', 'pass' | 'fail']>([
    ['complete with success', [passed], done, 'pass', 'fail'],
    ['complete with failure', [failed], { reason: 'complete', success: false }, 'fail', 'pass'],
    ['panic', [panicked], { reason: 'panic', message: 'no', location: 'a.rs:7' }, 'fail', 'pass'],
    ['fault', [], fault, 'fail', 'pass'],
    ['power-off without output', [], { reason: 'power-off' }, 'fail', 'pass'],
    ['fault after completion', [passed], fault, 'pass', 'fail'],
    ['panic after completion', [passed, panicked], done, 'pass', 'fail'],
    ['a rejected command first', [rejected, passed], done, 'pass', 'fail'],
    ['an event lost in a flood', [], done, 'pass', 'fail'],
    ['timeout', [], { reason: 'timeout', message: 'too long' }, 'fail', 'fail'],
    ['instruction budget', [], { reason: 'budget', message: 'too many' }, 'fail', 'fail'],
    ['stopped', [], { reason: 'stopped' }, 'fail', 'fail'],
    ['backend lost', [], { reason: 'backend-lost', message: 'gone' }, 'fail', 'fail'],
  ])('%s', (_name, events, halt, plain, expectedFailure) => {
    expect(judge(test(false), events, halt).verdict).toBe(plain);
    expect(judge(test(true), [reached, ...events], halt).verdict).toBe(expectedFailure);
  });

  it.each<[string, TmkEvent[], HaltReason]>([
    ['fault', [], fault],
    ['power-off', [], { reason: 'power-off' }],
    ['reset', [], { reason: 'reset' }],
    ['complete with failure', [failed], { reason: 'complete', success: false }],
    ['panic of start-up code', [{ ...panicked, message: 'running test a::b' }], fault],
    ['fault of a loader that logs', [{ kind: 'log', message: 'about to be running test a::b' }], fault],
    ['panic of another test', [{ kind: 'log', message: 'running test a::bc' }, panicked], fault],
    ['a command that looks like it', [{ kind: 'rejected', message: 'running test a::b' }], fault],
  ])('is a failure, even an expected one, if the test was not reached: %s', (_name, events, halt) => {
    const { verdict, cause } = judge(test(true), events, halt);
    expect(verdict).toBe('fail');
    expect(cause).toMatch(/^was expected to fail, but was not reached: the guest did not log 'running test a::b'; /);
  });

  it.each(['a::b', 'b', 'crate::a::b'])('recognises by the name %s that the test was reached', (name) => {
    const log: TmkEvent = { kind: 'log', message: `running test ${name}` };
    expect(judge(test(true), [log], fault).verdict).toBe('pass');
  });

  it('reports the cause', () => {
    expect(judge(test(true), [passed], { reason: 'stopped' }).cause).toBe('unexpectedly passed: complete (success)');
    expect(judge(test(true), [reached], fault).cause).toBe(
      'failed as expected: fault at 0x80000123 (abort_test+0x10): instruction abort at IPA 0x0',
    );
    expect(judge(test(false), [panicked], { reason: 'stopped' }).cause).toBe('panic at a.rs:7: no');
  });

  it('collects the log', () => {
    const log = (message: string): TmkEvent => ({ kind: 'log', message });
    expect(judge(test(false), [log('one'), rejected, log('two'), passed], { reason: 'stopped' }).logs).toEqual([
      'one',
      'two',
    ]);
  });
});
