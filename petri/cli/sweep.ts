import pc from 'picocolors';

import { sweep, type SweepReport } from '../kit/process/index.ts';
import { print, printJson } from '../text/index.ts';
import { exitCodes } from './errors.ts';

/** `petri sweep`: ends what crashed runs left behind on this machine. Fails if something could not be ended. */
export async function sweepCommand(options: { readonly json?: boolean | undefined }): Promise<void> {
  const report = await sweep();
  if (options.json === true) printJson(report);
  else print(`${describe(report).join('\n')}\n`);
  if (report.unreadable.length > 0 || report.swept.some(({ left }) => left.length > 0)) {
    process.exitCode = exitCodes.failure;
  }
}

function describe({ swept, inUse, unreadable }: SweepReport): string[] {
  const lines = swept.flatMap(({ ended, left }) => [
    ...ended.map((what) => `ended ${what}`),
    ...left.map((what) => pc.red(`left: ${what}`)),
  ]);
  if (lines.length === 0) lines.push('nothing was left behind');
  lines.push(
    ...unreadable.map(({ path, why }) => pc.yellow(`no ledger: ${path}: ${why}; remove it by hand`)),
    ...inUse.map(({ pid, run }) => pc.dim(`in use by process ${pid}${run === undefined ? '' : ` (${run})`}`)),
  );
  return lines;
}
