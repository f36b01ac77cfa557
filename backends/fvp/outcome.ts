import type { TmkEvent } from '../../petri/backend.ts';
import type { HaltReason } from '../../petri/vm/halt.ts';
import type { TmkVmmReport } from './tmk-vmm-log.ts';

export interface RunResult {
  /** Exit code of tmk_vmm, which ran exactly one test. */
  readonly code: number;
  readonly report: TmkVmmReport;
  readonly events: readonly TmkEvent[];
}

/**
 * Why the VM halted. Whether the test passed is told by tmk_vmm's exit code alone; how it failed by what tmk_vmm printed last, where
 * the guest has no say any more. A run in which tmk_vmm itself failed is nobody's verdict.
 */
export function haltOf({ code, report, events }: RunResult): HaltReason {
  if (code === 0) return { reason: 'complete', success: true };
  const { verdict } = report;
  if (code !== 1 || !report.saysFailed || verdict === undefined || verdict.kind === 'passed') {
    const last = report.lastLine === '' ? 'it printed nothing' : `its last line is ${JSON.stringify(report.lastLine)}`;
    return { reason: 'backend-lost', message: `tmk_vmm ended with code ${code} and without a verdict: ${last}` };
  }
  if (verdict.kind === 'faulted') {
    return {
      reason: 'fault',
      message: verdict.reason,
      ...(verdict.registers === undefined ? {} : { registers: verdict.registers }),
    };
  }
  const panic = events.findLast((event) => event.kind === 'panic');
  if (panic === undefined) return { reason: 'complete', success: false };
  return { reason: 'panic', message: panic.message, location: `${panic.file}:${panic.line}` };
}
