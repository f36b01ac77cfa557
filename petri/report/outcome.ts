import type { TestCase, TestModule, TestSuite } from 'vitest/node';

import { type SkipCause, parseTags } from '../run/index.ts';
import type { IsolationType } from '../contract/index.ts';

/**
 * How a test ended, for all statistics. `skipped` has a reason, or the test began and skipped itself; `left out` was
 * excluded by a filter or its test file; `not run` should have run and was not reached, or was interrupted.
 */
export type OutcomeKind = 'passed' | 'failed' | 'skipped' | 'left out' | 'not run';

/** One test of a run. */
export interface Outcome {
  readonly kind: OutcomeKind;
  /** Of a VM test only. */
  readonly isolation: IsolationType | undefined;
  /** Of a skipped test: the reason, if there is one. */
  readonly reason: string | undefined;
  /** Of a skipped test: `itself` if its body decided. */
  readonly cause: SkipCause | 'itself' | undefined;
}

/** vitest's note on a test that should have run when the run was cancelled, for example by `--bail`. */
const abortedNote = /^The test run was aborted/;

/** Judges a test at the end of its run. */
export function outcomeOf(test: TestCase): Outcome {
  const kind = kindOf(test);
  const result = test.result();
  const skipped = kind === 'skipped';
  return {
    kind,
    isolation: parseTags(test.tags)?.isolation,
    reason: skipped && result.state === 'skipped' ? result.note : undefined,
    cause: skipped ? (test.meta().petri?.skip ?? 'itself') : undefined,
  };
}

function kindOf(test: TestCase): OutcomeKind {
  const result = test.result();
  switch (result.state) {
    case 'passed':
    case 'failed':
      return result.state;
    case 'pending':
      // vitest does not report a test whose worker has died, or one that was waiting for it.
      return test.diagnostic() === undefined ? 'not run' : 'failed';
    case 'skipped':
      if (result.note !== undefined) return abortedNote.test(result.note) ? 'not run' : 'skipped';
      // The mode is that of collection.
      if (test.options.mode !== 'run') return 'left out';
      return test.meta().petri?.began !== true && isOfFailedSuite(test) ? 'not run' : 'skipped';
  }
}

/** Whether a hook of an enclosing suite failed, which makes vitest skip the test. */
function isOfFailedSuite(test: TestCase): boolean {
  let suite: TestSuite | TestModule = test.parent;
  while (suite.type === 'suite' && suite.errors().length === 0) suite = suite.parent;
  return suite.errors().length > 0;
}
