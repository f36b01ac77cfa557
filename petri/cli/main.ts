import { readFileSync } from 'node:fs';

import { type CAC, cac } from 'cac';
import { z } from 'zod';

import { PetriError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';
import { reportError } from './errors.ts';
import { endProcess, endWithOutput, isOutputLost } from './output.ts';

/** The `petri` command. Ends the process with the exit code, except for `petri test`, where vitest does that. Never rejects. */
export async function main(argv: readonly string[]): Promise<void> {
  endWithOutput();
  // vitest's options are vitest's to parse: only the command itself is ours.
  if (argv[0] === 'test') {
    await test(argv.slice(1)).catch(reportError);
    return;
  }
  await runCommand(argv).catch(report);
  await closeBackends().catch(report);
  await endProcess();
}

async function test(argv: readonly string[]): Promise<void> {
  const { runVitest, testArguments } = await import('./run-vitest.ts');
  await runVitest(testArguments(argv, process.cwd()), process.cwd());
}

async function runCommand(argv: readonly string[]): Promise<void> {
  const cli = cac('petri');
  cli.version(packageVersion());
  cli.help();
  cli
    .command(
      'test [...vitest arguments]',
      'Run the tests with vitest; takes --backend, --isolation and all of its options',
    )
    .allowUnknownOptions();
  const jsonOption = ['--json', 'Print JSON'] as const;
  cli
    .command('list [...filters]', 'List the VM tests, and for each backend whether it runs them or why not')
    .option('--backend <name>', 'Only this backend')
    .option(...jsonOption)
    .action(async (filters: unknown, options: unknown) => {
      const { list } = await import('./list.ts');
      await list(z.array(z.string()).parse(filters), commandOptions.parse(options), process.cwd());
    });
  cli
    .command('doctor', 'Say what each backend can do on this host, and what to install for more')
    .alias('backends')
    .option('--backend <name>', 'Only this backend; the exit code says whether it can run here')
    .option(...jsonOption)
    .action(async (options: unknown) => {
      const { doctor } = await import('./doctor.ts');
      await doctor(commandOptions.parse(options), process.cwd());
    });
  cli
    .command('sweep', 'End what crashed runs left behind on this machine')
    .option(...jsonOption)
    .action(async (options: unknown) => {
      const { sweepCommand } = await import('./sweep.ts');
      await sweepCommand(commandOptions.parse(options));
    });
  await registerOthers(cli);

  const { options } = cli.parse(['node', 'petri', ...argv], { run: false });
  if (cli.matchedCommand !== undefined) await cli.runMatchedCommand();
  else if (options['help'] !== true && options['version'] !== true) unknownCommand(cli, argv);
}

const commandOptions = z.object({ backend: z.string().optional(), json: z.boolean().optional() });
export type CommandOptions = z.infer<typeof commandOptions>;

async function registerOthers(cli: CAC): Promise<void> {
  const { registerTmkCommands } = await import('./tmk.ts');
  registerTmkCommands(cli);
  const { registerCcaCommands } = await import('./cca.ts');
  registerCcaCommands(cli);
  const { registerHostsCommand } = await import('./hosts.ts');
  registerHostsCommand(cli);
}

function report(error: unknown): void {
  // That it was interrupted by that is known to whoever did it.
  if (!isOutputLost()) reportError(error);
}

/** Ends what backends keep: one that was only probed may hold a connection. */
async function closeBackends(): Promise<void> {
  const { closeLoadedBackends } = await import('../vitest/backends.ts');
  await closeLoadedBackends();
  const { Supervisor } = await import('../process/index.ts');
  await Supervisor.current()?.close();
}

function unknownCommand(cli: CAC, argv: readonly string[]): void {
  const [command] = argv;
  if (command === undefined) {
    cli.outputHelp();
    return;
  }
  const names = cli.commands.map((known) => known.name).join(', ');
  throw new PetriError(`there is no command '${command}'`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `the commands are ${names}; petri --help describes them`,
  });
}

function packageVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8'));
  return z.object({ version: z.string() }).parse(file).version;
}
