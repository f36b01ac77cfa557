import type { TmkEvent } from '../backend.ts';
import type { TmkTest } from '../payload/index.ts';
import { describeHalt } from './describe-halt.ts';
import type { HaltReason } from './halt.ts';

/** How one test inside a TMK went. */
export interface TmkResult {
  /** Full name of the test. */
  readonly test: string;
  readonly verdict: 'pass' | 'fail';
  /** Why, in one sentence without a full stop. */
  readonly cause: string;
  readonly expectedFailure: boolean;
  /** The lines that the test logged. */
  readonly logs: readonly string[];
  /** Everything that it reported, in order. */
  readonly events: readonly TmkEvent[];
  readonly halt: HaltReason;
}

type Outcome = 'passed' | 'failed' | 'unjudged';

/**
 * Judges a test as OpenVMM's `tmk_vmm` does: the first Complete or Panic command decides, a VM that halts without one has
 * faulted, and a test that is marked as an expected failure passes where it would fail, and the other way round. What no guest
 * did - the deadline, the instruction budget, a stop, a lost backend - is a failure whatever is expected.
 */
export function judge(test: TmkTest, events: readonly TmkEvent[], halt: HaltReason): TmkResult {
  const { outcome, cause } = outcomeOf(events, halt);
  return {
    test: test.name,
    ...verdictOf(test, outcome, cause),
    expectedFailure: test.expectedFailure,
    logs: events.flatMap((event) => (event.kind === 'log' ? [event.message] : [])),
    events: [...events],
    halt,
  };
}

function verdictOf(test: TmkTest, outcome: Outcome, cause: string): Pick<TmkResult, 'verdict' | 'cause'> {
  if (outcome === 'unjudged') return { verdict: 'fail', cause };
  if (!test.expectedFailure) return { verdict: outcome === 'passed' ? 'pass' : 'fail', cause };
  return outcome === 'passed'
    ? { verdict: 'fail', cause: `unexpectedly passed: ${cause}` }
    : { verdict: 'pass', cause: `failed as expected: ${cause}` };
}

function outcomeOf(
  events: readonly TmkEvent[],
  halt: HaltReason,
): { readonly outcome: Outcome; readonly cause: string } {
  for (const event of events) {
    if (event.kind === 'complete') {
      return {
        outcome: event.success ? 'passed' : 'failed',
        cause: describeHalt({ reason: 'complete', success: event.success }),
      };
    }
    if (event.kind === 'panic') {
      const location = `${event.file}:${event.line}`;
      return { outcome: 'failed', cause: describeHalt({ reason: 'panic', message: event.message, location }) };
    }
  }
  return { outcome: outcomeOfHalt(halt), cause: describeHalt(halt) };
}

/** Also for a test whose own event was lost in a flood. */
function outcomeOfHalt(halt: HaltReason): Outcome {
  switch (halt.reason) {
    case 'complete':
      return halt.success ? 'passed' : 'failed';
    case 'panic':
    case 'fault':
    case 'power-off':
    case 'reset':
      return 'failed';
    case 'budget':
    case 'timeout':
    case 'stopped':
    case 'backend-lost':
      return 'unjudged';
  }
}
