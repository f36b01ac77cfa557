import type { CAC } from 'cac';
import { z } from 'zod';

import { PetriError } from '../../errors.ts';
import { describeOptions, type OptionValues, readOptions } from '../options.ts';

export const defaultPlatform = 'fvp';

const installing = ['install', 'update'] as const;
const updating = ['update'] as const;
const running = ['run'] as const;

export const ccaOptions = {
  platform: { value: 'name', help: 'What it is for: fvp (without it), or qemu' },
  root: {
    value: 'folder',
    help: 'Folder of the stack; without it PETRI_CCA_ROOT or .petri/cca, for qemu PETRI_QEMU_CCA_ROOT or .petri/cca-qemu',
  },
  'dry-run': { help: 'Print the plan: what would run, why, and from which sources', actions: installing },
  lock: {
    value: 'file',
    help: "A lock file instead of the one that comes with petri-vm. 'own': that one again",
    actions: installing,
  },
  source: {
    value: 'name=url@rev',
    repeatable: true,
    help: 'Take a source from elsewhere; repeatable. NAME=URL, NAME=URL@REV or NAME=@REV',
    actions: installing,
  },
  jobs: {
    value: 'count',
    schema: z.coerce.number().int().positive(),
    help: 'Compilers at once; the number of processors without it',
    actions: installing,
  },
  runtime: {
    value: 'name',
    help: 'fvp: where shrinkwrap runs things: docker (the default), podman, null and others',
    actions: installing,
  },
  'tmk-vmm': {
    value: 'file',
    help: "A tmk_vmm of yours, instead of building it; PETRI_TMK_VMM. 'own': build it again",
    actions: installing,
  },
  shrinkwrap: {
    value: 'file',
    help: "fvp: a shrinkwrap of yours, instead of our own; PETRI_SHRINKWRAP. 'own': ours again",
    actions: installing,
  },
  qemu: {
    value: 'file',
    help: "qemu: a QEMU of yours. 'installed': the one in PATH (the default); 'own': build it",
    actions: installing,
  },
  only: {
    value: 'part',
    help: "qemu: 'firmware': the RMM, TF-A and what it starts, alone. 'all': everything again",
    actions: installing,
  },
  bl33: {
    value: 'file',
    help: "qemu: what TF-A starts in the normal world, instead of EDK2. 'own': EDK2 again",
    actions: installing,
  },
  'rebuild-plane0-linux': { help: 'build Linux for plane 0 again', actions: updating },
  'rebuild-rootfs': { help: 'build the root file system again', actions: updating },
  'rebuild-tmk': { help: "build OpenVMM's tmk_vmm and simple_tmk again", actions: updating },
  'tfa-rev': { value: 'rev', help: 'branch, tag or commit of TF-A', actions: updating },
  'tfrmm-rev': { value: 'rev', help: 'branch, tag or commit of TF-RMM', actions: updating },
  'plane0-linux-rev': { value: 'rev', help: 'branch, tag or commit of Linux for plane 0', actions: updating },
  json: { help: 'print JSON', actions: ['status'] },
  test: { value: 'name', help: 'only this test of the TMKs', actions: running },
  timeout: {
    value: 'seconds',
    schema: z.coerce.number().positive(),
    help: 'seconds that each test may take once the stack is up; 30 without it',
    actions: running,
  },
  'build-only': { help: 'build what of the installed stack is due, and boot nothing', actions: running },
  verbose: {
    help: 'Show what each step prints; run: every console, of firmware, RMM and host',
    actions: [...installing, ...running],
  },
} as const;

export type CcaCommandOptions = OptionValues<typeof ccaOptions> & { readonly platform: string };
export type CcaAction = 'install' | 'update' | 'run' | 'status';

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
