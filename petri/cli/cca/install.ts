import { PetriError } from '../../errors.ts';
import { requireUsable } from '../../homes/index.ts';
import { runInterruptible } from '../../kit/process/index.ts';
import { examine, runSteps } from '../../kit/stack/index.ts';
import { print } from '../../text/index.ts';
import type { CcaAction, CcaCommandOptions } from './options.ts';
import { describePlan } from './plan.ts';
import { installCommand, stackManagerOf, stackRequest } from './request.ts';
import { InstallReporter } from './reporter.ts';

/** `petri cca install`, `petri cca update` and `petri cca run --build-only`. @throws PetriError */
export async function installStack(action: CcaAction, options: CcaCommandOptions, cwd: string): Promise<void> {
  const manager = await stackManagerOf(options.platform);
  const request = stackRequest(action, options, manager, cwd);
  if (action !== 'install' && !request.dryRun) await expectInstallation(request.root, options.platform);
  if (!request.dryRun) {
    const remedy = `let --root or ${manager.rootVariable} name a folder that can be written to`;
    requireUsable('the folder of the stack', request.root, remedy);
  }
  const prepared = await manager.prepare(request);
  if (request.dryRun) {
    const steps = await examine(prepared.plan, prepared.force);
    print(`${(await describePlan(prepared, steps)).join('\n')}\n`);
    return;
  }
  const reporter = new InstallReporter({ verbose: options.verbose === true });
  try {
    await runInterruptible(
      async (signal) => {
        const { ran } = await runSteps(prepared.plan, { reporter, signal, force: prepared.force });
        reporter.say(ran.length === 0 ? 'nothing had to be done' : `done: ${ran.join(', ')}`);
        reporter.say(`the stack is in ${prepared.plan.root}; its lock file is ${prepared.lock.path}`);
      },
      { onInterrupt: () => reporter.say('stopping; once more to stop at once') },
    );
  } finally {
    reporter.close();
  }
}

async function expectInstallation(root: string, platform: string): Promise<void> {
  const { existsSync } = await import('node:fs');
  if (existsSync(root)) return;
  throw new PetriError(`there is no stack in ${root}`, {
    code: 'stack-missing',
    step: 'install',
    remedy: `${installCommand(platform)} makes one; give its folder with --root if it is elsewhere`,
  });
}
