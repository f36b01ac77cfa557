import type { CAC } from 'cac';
import { z } from 'zod';

import { PetriError } from '../errors.ts';

export const defaultPlatform = 'fvp';

const text = z.coerce.string().min(1);

const optionsSchema = z.object({
  platform: text.default(defaultPlatform),
  root: text.optional(),
  lock: text.optional(),
  source: z
    .union([text, z.array(text)])
    .optional()
    .transform((given) => (given === undefined ? [] : [given].flat())),
  jobs: z.coerce.number().int().positive().optional(),
  runtime: text.optional(),
  tmkVmm: text.optional(),
  shrinkwrap: text.optional(),
  qemu: text.optional(),
  dryRun: z.boolean().optional(),
  json: z.boolean().optional(),
  rebuildPlane0Linux: z.boolean().optional(),
  rebuildRootfs: z.boolean().optional(),
  tfaRev: text.optional(),
  tfrmmRev: text.optional(),
  plane0LinuxRev: text.optional(),
});

export type CcaCommandOptions = z.infer<typeof optionsSchema>;
export type CcaAction = 'install' | 'update' | 'status';

const installing = ['root', 'lock', 'source', 'jobs', 'runtime', 'tmkVmm', 'shrinkwrap', 'qemu', 'dryRun'] as const;

/** Options by the action that takes them; what an action would ignore it refuses, and so does a platform. */
const taken: Readonly<Record<CcaAction, readonly (keyof CcaCommandOptions)[]>> = {
  install: installing,
  update: [
    ...installing,
    ...(['rebuildPlane0Linux', 'rebuildRootfs', 'tfaRev', 'tfrmmRev', 'plane0LinuxRev'] as const),
  ],
  status: ['root', 'json'],
};

/** Adds `petri cca …` to the command line. */
export function registerCcaCommands(cli: CAC): void {
  cli
    .command(
      'cca <install|update|status>',
      'Install what backends with real firmware boot, bring it up to date, look at it',
    )
    .usage(
      'cca install [--dry-run]\n  $ petri cca update [--rebuild-rootfs] [--tfa-rev REV] …\n  $ petri cca status [--json]',
    )
    .option('--platform <name>', 'What it is for: fvp (without it), or qemu')
    .option(
      '--root <folder>',
      'Folder of the stack; without it PETRI_CCA_ROOT or .petri/cca, for qemu PETRI_QEMU_CCA_ROOT or .petri/cca-qemu',
    )
    .option('--dry-run', 'Print the plan: what would run, why, and from which sources')
    .option('--lock <file>', "A lock file instead of the one that comes with petri-vm. 'own': that one again")
    .option('--source <name=url@rev>', 'Take a source from elsewhere; repeatable. NAME=URL, NAME=URL@REV or NAME=@REV')
    .option('--jobs <count>', 'Compilers at once; the number of processors without it')
    .option('--runtime <name>', 'fvp: where shrinkwrap runs things: docker (the default), podman, null and others')
    .option('--tmk-vmm <file>', "A tmk_vmm of yours, instead of building it; PETRI_TMK_VMM. 'own': build it again")
    .option(
      '--shrinkwrap <file>',
      "fvp: a shrinkwrap of yours, instead of our own; PETRI_SHRINKWRAP. 'own': ours again",
    )
    .option('--qemu <file>', "qemu: a QEMU of yours. 'installed': the one in PATH (the default); 'own': build it")
    .option('--rebuild-plane0-linux', 'update: build Linux for plane 0 again')
    .option('--rebuild-rootfs', 'update: build the root file system again')
    .option('--tfa-rev <rev>', 'update: branch, tag or commit of TF-A')
    .option('--tfrmm-rev <rev>', 'update: branch, tag or commit of TF-RMM')
    .option('--plane0-linux-rev <rev>', 'update: branch, tag or commit of Linux for plane 0')
    .option('--json', 'status: print JSON')
    .example('petri cca install --dry-run')
    .example('petri cca install --tmk-vmm ~/openvmm/target/aarch64-unknown-linux-gnu/debug/tmk_vmm')
    .example('petri cca update --tfrmm-rev main')
    .example('petri cca install --platform=qemu --dry-run')
    .action(run);
}

async function run(action: unknown, given: unknown): Promise<void> {
  if (action !== 'install' && action !== 'update' && action !== 'status') {
    throw new PetriError(`there is no command 'cca ${String(action)}'`, {
      code: 'invalid-option',
      step: 'options',
      remedy: 'the commands are cca install, cca update and cca status',
    });
  }
  const options = parseOptions(given);
  refuseIgnored(action, given);
  if (action === 'status') {
    const { showStatus } = await import('./cca-status.ts');
    await showStatus(options, process.cwd());
    return;
  }
  const { installStack } = await import('./cca-install.ts');
  await installStack(action, options, process.cwd());
}

function parseOptions(given: unknown): CcaCommandOptions {
  const parsed = optionsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new PetriError(`--${hyphenated(String(issue?.path[0]))}: ${issue?.message ?? 'wrong'}`, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'petri cca --help describes the options',
    cause: parsed.error,
  });
}

function refuseIgnored(action: CcaAction, given: unknown): void {
  const names = Object.keys(z.record(z.string(), z.unknown()).parse(given));
  const own = new Set<string>(['--', 'platform', 'help', 'h', ...taken[action]]);
  const ignored = names.filter((name) => !own.has(name));
  if (ignored.length === 0) return;
  throw new PetriError(
    `petri cca ${action} does not take ${ignored.map((name) => `--${hyphenated(name)}`).join(', ')}`,
    {
      code: 'invalid-option',
      step: 'options',
      remedy: `it takes --platform and ${taken[action].map((name) => `--${hyphenated(name)}`).join(', ')}`,
    },
  );
}

function hyphenated(name: string): string {
  return name.replaceAll(/[A-Z]|(?<=plane)(?=0)/g, (letter) => (letter === '' ? '' : `-${letter.toLowerCase()}`));
}
