import type { TmkEvent, HaltReason } from '../../contract/index.ts';
import type { TmkVmmOutcome } from './tmk-vmm-events.ts';
import type { TmkVmmReport } from './tmk-vmm-log.ts';

export interface RunResult {
  /** Exit code of tmk_vmm, which ran exactly one test. */
  readonly code: number;
  readonly report: TmkVmmReport;
  readonly events: readonly TmkEvent[];
}

/**
 * Why the VM halted. tmk_vmm's exit code tells whether the test passed; its last output, which the guest cannot affect,
 * tells how the guest ended. Both must agree. A run in which tmk_vmm itself failed, or printed nothing, has no verdict.
 */
export function haltOf({ code, report, events }: RunResult): HaltReason {
  const { verdict, saysFailed, lastLine, fatalError } = report;
  const agrees = code === 0 ? verdict?.success === true : code === 1 && saysFailed && verdict?.success === false;
  if (agrees && verdict !== undefined) return haltOfOutcome(verdict.outcome, fatalError, events);
  const last = lastLine === '' ? 'it printed nothing' : `its last line is ${JSON.stringify(lastLine)}`;
  return { reason: 'backend-lost', message: `tmk_vmm ended with code ${code} and without a verdict: ${last}` };
}

function haltOfOutcome(
  outcome: TmkVmmOutcome,
  fatalError: string | undefined,
  events: readonly TmkEvent[],
): HaltReason {
  switch (outcome.kind) {
    case 'passed':
      return { reason: 'complete', success: true };
    case 'faulted': {
      const { reason, registers } = outcome;
      return {
        reason: 'fault',
        message: fatalError === undefined ? reason : `${fatalError} (${reason})`,
        ...(registers === undefined ? {} : { registers }),
      };
    }
    case 'failed': {
      const panic = events.findLast((event) => event.kind === 'panic');
      if (panic === undefined) return { reason: 'complete', success: false };
      return { reason: 'panic', message: panic.message, location: `${panic.file}:${panic.line}` };
    }
  }
}
