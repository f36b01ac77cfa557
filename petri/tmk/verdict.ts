import { type TmkEvent, describeHalt, type HaltReason, type TmkTest } from '../contract/index.ts';

/** How one test inside a TMK went. */
export interface TmkResult {
  /** Full name of the test. */
  readonly test: string;
  /** What the test comes to, an expected failure taken into account. */
  readonly verdict: 'pass' | 'fail';
  /** Why, in one sentence without a full stop. */
  readonly cause: string;
  /** Whether the test is marked as one that is to fail. */
  readonly expectedFailure: boolean;
  /** The lines that the test logged. */
  readonly logs: readonly string[];
  /** Everything that it reported, in order. */
  readonly events: readonly TmkEvent[];
  /** How the VM halted. */
  readonly halt: HaltReason;
}

type Outcome = 'passed' | 'failed' | 'unjudged';

/**
 * Judges a test as OpenVMM's `tmk_vmm` does: the first Complete or Panic command decides, a VM that halts without one
 * has faulted, and a test that is marked as an expected failure passes where it would fail, and the other way round.
 * What no guest did - the deadline, the instruction budget, a stop, a lost backend - is a failure whatever is expected.
 * So is a failure that is expected of a test which was not reached: a TMK logs `running test NAME` before the test's
 * first instruction (OpenVMM `tmk/tmk_core`; artifacts/tmk/runtime/main.c).
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

/** What the guest did, and whether it came to the test. */
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

/** With the name as the payload has it, or without the modules. */
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
