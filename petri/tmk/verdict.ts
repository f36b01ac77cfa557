import { type TmkEvent, describeHalt, type HaltReason, type TmkTest } from '../contract/index.ts';

/** The result of one test in a TMK. */
export interface TmkResult {
  /** Full name of the test. */
  readonly test: string;
  /** The verdict, taking an expected failure into account. */
  readonly verdict: 'pass' | 'fail';
  /** Why, in one sentence without a full stop. */
  readonly cause: string;
  /** Whether the test is expected to fail. */
  readonly expectedFailure: boolean;
  /** The lines that the test logged. */
  readonly logs: readonly string[];
  /** All of its events, in order. */
  readonly events: readonly TmkEvent[];
  /** How the VM halted. */
  readonly halt: HaltReason;
}

type Outcome = 'passed' | 'failed' | 'unjudged';

/**
 * Judges a test as OpenVMM's `tmk_vmm` does: the first Complete or Panic command decides, a VM that halts without one
 * has faulted, and a test that is expected to fail passes if it fails, and vice versa. A halt that the guest did not
 * cause - the deadline, the instruction budget, a stop, a lost backend - is always a failure. So is an expected failure
 * before the test was reached: a TMK logs `running test NAME` before the test's first instruction (OpenVMM
 * `tmk/tmk_core`; artifacts/tmk/runtime/main.c).
 */
export function judge(test: TmkTest, events: readonly TmkEvent[], halt: HaltReason): TmkResult {
  const { outcome, cause } = outcomeOf(events, halt);
  return {
    test: test.name,
    ...verdictOf(test, { outcome, cause, reached: events.some((event) => announces(event, test)) }),
    expectedFailure: test.expectedFailure,
    logs: events.flatMap((event) => (event.kind === 'log' ? [event.message] : [])),
    events: [...events],
    halt,
  };
}

/** The guest's outcome, and whether the test was reached. */
interface Conduct {
  readonly outcome: Outcome;
  readonly cause: string;
  readonly reached: boolean;
}

function verdictOf(test: TmkTest, { outcome, cause, reached }: Conduct): Pick<TmkResult, 'verdict' | 'cause'> {
  if (outcome === 'unjudged') return { verdict: 'fail', cause };
  if (!test.expectedFailure) return { verdict: outcome === 'passed' ? 'pass' : 'fail', cause };
  if (outcome === 'passed') return { verdict: 'fail', cause: `unexpectedly passed: ${cause}` };
  if (reached) return { verdict: 'pass', cause: `failed as expected: ${cause}` };
  return {
    verdict: 'fail',
    cause: `was expected to fail, but was not reached: the guest did not log 'running test ${test.name}'; ${cause}`,
  };
}

/** Compares with the name in the payload, with or without modules. */
function announces(event: TmkEvent, test: TmkTest): boolean {
  if (event.kind !== 'log') return false;
  const [, name = ''] = /^running test (.*)/.exec(event.message) ?? [];
  return name !== '' && (name === test.name || test.name.endsWith(`::${name}`) || name.endsWith(`::${test.name}`));
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

/** Used if the test's own event was lost in a flood. */
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
