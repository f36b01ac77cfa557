import type { CAC } from 'cac';
import { z } from 'zod';

import { PetriError } from '../../errors.ts';
import { describeOptions, readOptions } from '../options.ts';
import { ccaOptions, defaultPlatform } from './options.ts';

/** Adds `petri cca …` to the command line. */
export function registerCcaCommands(cli: CAC): void {
  describeOptions(
    cli.command(
      'cca <install|update|run|status> [...payloads]',
      'Install what backends with real firmware boot, bring it up to date, run TMKs on it, look at it',
    ),
    ccaOptions,
  )
    .usage(
      'cca install [--dry-run]\n  $ petri cca update [--rebuild-rootfs] [--tfa-rev REV] …\n  $ petri cca run [NAME|ELF …] [--test TEST]\n  $ petri cca status [--json]',
    )
    .example('petri cca install --dry-run')
    .example('petri cca install --tmk-vmm ~/openvmm/target/aarch64-unknown-linux-gnu/debug/tmk_vmm')
    .example('petri cca update --tfrmm-rev main')
    .example('petri cca run')
    .example('petri cca install --platform=qemu --dry-run')
    .action(async (action: unknown, payloads: unknown) => await run(cli, action, payloads));
}

async function run(cli: CAC, action: unknown, given: unknown): Promise<void> {
  const payloads = z.array(z.string()).parse(given);
  if (action !== 'install' && action !== 'update' && action !== 'run' && action !== 'status') {
    throw new PetriError(`there is no command 'cca ${String(action)}'`, {
      code: 'invalid-option',
      step: 'options',
      remedy: 'the commands are cca install, cca update, cca run and cca status',
    });
  }
  const options = { platform: defaultPlatform, ...readOptions(cli, 'cca', ccaOptions, action) };
  if (action === 'run') {
    const { runOnStack } = await import('./run.ts');
    await runOnStack(payloads, options, process.cwd());
    return;
  }
  if (payloads.length > 0) {
    throw new PetriError(`petri cca ${action} takes no ${payloads.join(' ')}`, {
      code: 'invalid-option',
      step: 'options',
      remedy: 'petri cca --help describes the options',
    });
  }
  if (action === 'status') {
    const { showStatus } = await import('./status.ts');
    await showStatus(options, process.cwd());
    return;
  }
  const { installStack } = await import('./install.ts');
  await installStack(action, options, process.cwd());
}
