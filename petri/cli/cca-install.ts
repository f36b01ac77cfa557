import { PetriError } from '../errors.ts';
import { examine, runSteps } from '../stack/index.ts';
import type { CcaAction, CcaCommandOptions } from './cca.ts';
import { describePlan } from './cca-plan.ts';
import { installCommand, stackManagerOf, stackRequest } from './cca-request.ts';
import { InstallReporter } from './cca-reporter.ts';

/** `petri cca install` and `petri cca update`. @throws PetriError */
export async function installStack(action: CcaAction, options: CcaCommandOptions, cwd: string): Promise<void> {
  const manager = await stackManagerOf(options.platform);
  const request = stackRequest(action, options, manager, cwd);
  if (action === 'update' && !request.dryRun) await expectInstallation(request.root, options.platform);
  const prepared = await manager.prepare(request);
  if (request.dryRun) {
    const steps = await examine(prepared.plan, prepared.force);
    process.stdout.write(`${(await describePlan(prepared, steps)).join('\n')}\n`);
    return;
  }
  const reporter = new InstallReporter();
  const interruption = new AbortController();
  const interrupt = (): void => {
    // The second one finds no listener, and ends us at once; what we started ends with us.
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    reporter.say('stopping; once more to stop at once');
    interruption.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const { ran } = await runSteps(prepared.plan, { reporter, signal: interruption.signal, force: prepared.force });
    reporter.say(ran.length === 0 ? 'nothing had to be done' : `done: ${ran.join(', ')}`);
    reporter.say(`the stack is in ${prepared.plan.root}; its lock file is ${prepared.lock.path}`);
  } finally {
    reporter.close();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    const { Supervisor } = await import('../process/index.ts');
    await Supervisor.current()?.close();
  }
}

async function expectInstallation(root: string, platform: string): Promise<void> {
  const { existsSync } = await import('node:fs');
  if (existsSync(root)) return;
  throw new PetriError(`there is no stack in ${root} to update`, {
    code: 'stack-missing',
    step: 'install',
    remedy: `${installCommand(platform)} makes one; give its folder with --root if it is elsewhere`,
  });
}
