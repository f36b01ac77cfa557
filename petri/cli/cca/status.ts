import pc from 'picocolors';

import { examine } from '../../kit/stack/index.ts';
import { print, printJson } from '../../text/index.ts';
import type { CcaCommandOptions } from './options.ts';
import { duration } from './plan.ts';
import { installCommand, stackManagerOf, stackRequest } from './request.ts';
import { exitCodes } from '../errors.ts';

/** `petri cca status`: what is installed and whether it is intact. Fails if it is not complete. */
export async function showStatus(options: CcaCommandOptions, cwd: string): Promise<void> {
  const manager = await stackManagerOf(options.platform);
  const request = stackRequest('status', options, manager, cwd);
  const prepared = await manager.prepare(request);
  const steps = await examine(prepared.plan);
  const revisions = manager.installed(request.root);
  const whole = revisions !== undefined && steps.every(({ state }) => state.state !== 'due');
  if (!whole) process.exitCode = exitCodes.failure;
  if (options.json === true) {
    const report = {
      platform: options.platform,
      root: request.root,
      whole,
      lockDigest: prepared.lock.digest,
      revisions: revisions ?? {},
      sources: prepared.sources,
      steps: steps.map(({ step, state }) => ({ name: step.name, ...state })),
    };
    printJson(report);
    return;
  }
  const lines = steps.map(({ step, state }) => {
    if (state.state === 'done')
      return `  ${pc.green('done')}  ${step.name}, ${state.finished}, ${duration(state.seconds)}`;
    if (state.state === 'check') return `  ${pc.dim('check')} ${step.name}`;
    return `  ${pc.yellow('due')}   ${step.name}: ${state.why.join('; ')}`;
  });
  print(
    `${[
      `${request.root}: ${whole ? pc.green('whole') : pc.yellow(`not whole; ${installCommand(options.platform)} builds what is due`)}`,
      ...lines,
      ...Object.entries(revisions ?? {}).map(([name, revision]) => `  ${name}: ${revision}`),
    ].join('\n')}\n`,
  );
}
