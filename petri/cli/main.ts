import { readFileSync } from 'node:fs';

import { type CAC, cac } from 'cac';
import { z } from 'zod';

import { PetriError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';
import { reportError } from './errors.ts';
import { doctorOptions, listOptions, sweepOptions } from './command-options.ts';
import { describeOptions, readOptions } from './options.ts';
import { runOptions } from './run/options.ts';
import { endProcess, endWithOutput, isOutputLost } from './output.ts';

/**
 * The `petri` command. Ends the process with the exit code, except for `petri test`, where vitest does. Never rejects.
 */
export async function main(argv: readonly string[]): Promise<void> {
  endWithOutput();
  // vitest parses its own options: only the command itself is ours.
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
  await addCommands(cli);

  const { options } = cli.parse(['node', 'petri', ...argv], { run: false });
  if (cli.matchedCommand !== undefined) await cli.runMatchedCommand();
  else if (options['help'] !== true && options['version'] !== true) unknownCommand(cli, argv);
}

/** Adds every command, with its options and description. */
export async function addCommands(cli: CAC): Promise<void> {
  cli
    .command(
      'test [...vitest arguments]',
      'Run the tests with vitest; takes --backend, --isolation and all of its options',
    )
    .allowUnknownOptions();
  describeOptions(
    cli.command('list [...filters]', 'List the VM tests, and for each backend whether it runs them or why not'),
    listOptions,
  ).action(async (filters: unknown) => {
    const { list } = await import('./list.ts');
    await list(z.array(z.string()).parse(filters), readOptions(cli, 'list', listOptions), process.cwd());
  });
  describeOptions(
    cli.command('doctor', 'Say what each backend can do on this host, and what to install for more').alias('backends'),
    doctorOptions,
  ).action(async () => {
    const { doctor } = await import('./doctor.ts');
    await doctor(readOptions(cli, 'doctor', doctorOptions), process.cwd());
  });
  describeOptions(cli.command('sweep', 'End what crashed runs left behind on this machine'), sweepOptions).action(
    async () => {
      const { sweepCommand } = await import('./sweep.ts');
      await sweepCommand(readOptions(cli, 'sweep', sweepOptions));
    },
  );
  describeOptions(
    cli.command('run <payload>', 'Boot Linux, a kernel, firmware or a bare-metal image, with its console attached'),
    runOptions,
  )
    .example('petri run linux --vcpus=4')
    .example('petri run arch/arm64/boot/Image --initrd=rootfs.cpio.gz --append="console=ttyAMA0 debug"')
    .example('petri run u-boot.bin --flash')
    .action(async (payload: unknown) => {
      const { run } = await import('./run/run.ts');
      await run(z.string().parse(payload), readOptions(cli, 'run', runOptions));
    });
  const { registerTmkCommands } = await import('./tmk/tmk.ts');
  registerTmkCommands(cli);
  const { registerCcaCommands } = await import('./cca/cca.ts');
  registerCcaCommands(cli);
  const { registerLinuxCommand } = await import('./linux.ts');
  registerLinuxCommand(cli);
  const { registerHostsCommand } = await import('./hosts.ts');
  registerHostsCommand(cli);
}

function report(error: unknown): void {
  // The user who interrupted it needs no message.
  if (!isOutputLost()) reportError(error);
}

/** Closes backends: one that was only probed may hold a connection. */
async function closeBackends(): Promise<void> {
  const { closeLoadedBackends } = await import('../vitest/index.ts');
  await closeLoadedBackends();
  const { Supervisor } = await import('../kit/process/index.ts');
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
