import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { PetriError } from '../errors.ts';
import { print } from '../text/index.ts';
import {
  backendVariable,
  isolationVariable,
  splitArguments,
  strictSkipsVariable,
  configurationSeen,
} from '../vitest/index.ts';
import { exitCodes, reportError } from './errors.ts';
import { endWithOutput } from './output.ts';
import { chooseConfig, vitestFolder } from './project.ts';

const optionsHelp = `
Petri Options:
  --backend <name>      Where the VMs of petriTest run (environment: PETRI_BACKEND, default: sim).
                        \`petri doctor\` lists the backends and what each can do here.
  --isolation <types>   Run only VM tests of these isolation types: none, vbs, snp, tdx, cca.
                        Repeatable, and takes comma lists (environment: PETRI_ISOLATION).
  --strict-skips        Fail when a VM test was skipped that its backend should run (environment: PETRI_STRICT_SKIPS).
  --gdb[=<port>]        Each VM waits for GDB on this port of 127.0.0.1, any free one without it, and says how to attach;
                        nothing times out (environment: PETRI_GDB=<port>,wait). On sim and qemu.
  --trace               A file with every instruction that a TMK executes, in the folder of its VM; on sim
                        (environment: PETRI_TRACE=1).
  --guest-coverage      A tracefile of lcov with the lines of a TMK that were executed, in the folder of its VM; on sim
                        (environment: PETRI_GUEST_COVERAGE=1).
`;

/** `vitest` of this repository: vitest's own command line with our options. */
export async function vitestMain(argv: readonly string[]): Promise<void> {
  endWithOutput();
  try {
    await runVitest(argv, process.cwd());
  } catch (error) {
    reportError(error);
  }
}

/**
 * Runs vitest's own command in this process, with all arguments except ours. Ours are passed as environment variables,
 * which the configuration and workers read.
 *
 * @throws PetriError `invalid-option`, `tool-missing`
 */
export async function runVitest(argv: readonly string[], cwd: string): Promise<void> {
  const { backend, isolation, strictSkips, variables, rest } = splitArguments(argv);
  if (backend !== undefined) process.env[backendVariable] = backend;
  if (isolation.length > 0) process.env[isolationVariable] = isolation.join(',');
  if (strictSkips !== undefined) process.env[strictSkipsVariable] = String(strictSkips);
  Object.assign(process.env, variables);

  const isHelp = rest.some((argument) => argument === '--help' || argument === '-h');
  const isVersion = rest.some((argument) => argument === '--version' || argument === '-v');
  const isOurs =
    backend !== undefined || isolation.length > 0 || strictSkips === true || Object.keys(variables).length > 0;
  if (isOurs && !isHelp && !isVersion) complainIfIgnored();

  const entry = join(vitestFolder(cwd), 'vitest.mjs');
  process.argv = [process.argv[0] ?? process.execPath, entry, ...rest];
  await import(pathToFileURL(entry).href);
  if (isHelp) print(optionsHelp);
}

/** A project without our configuration would run nevertheless, without a backend: that must not look like success. */
function complainIfIgnored(): void {
  process.on('exit', (code) => {
    if (code !== 0 || configurationSeen()) return;
    reportError(
      new PetriError(
        'this project ignores the options of petri, such as --backend and --isolation: its vitest configuration is not ours',
        {
          code: 'invalid-config',
          step: 'config',
          remedy: "make it with `definePetriConfig` of 'petri-vm/config'",
        },
      ),
    );
    process.exitCode = exitCodes.usage;
  });
}

/**
 * Adds the configuration and its loader, unless the user specifies them: `petri test` works in a folder of tests only.
 */
function withConfig(argv: readonly string[], cwd: string): readonly string[] {
  const end = argv.indexOf('--');
  const front = end === -1 ? argv : argv.slice(0, end);
  const says = (names: RegExp): boolean => front.some((argument) => names.test(argument));
  if (says(/^(--config|-c|--root|-r)(=|$)/)) return argv;
  const { config, configLoader } = chooseConfig(cwd);
  const isLoaderGiven = says(/^--config-?loader(=|$)/i);
  return [
    ...front,
    ...(config === undefined ? [] : [`--config=${config}`]),
    ...(configLoader === undefined || isLoaderGiven ? [] : [`--configLoader=${configLoader}`]),
    ...argv.slice(front.length),
  ];
}

/** Arguments of `petri test` for vitest: one run, not watch mode, unless requested otherwise. */
export function testArguments(argv: readonly string[], cwd: string): readonly string[] {
  const commands = ['run', 'watch', 'dev', 'related', 'bench', 'list', 'init', 'complete'];
  const watches = argv.some((argument) => /^(--watch|-w|--standalone)(=|$)/.test(argument));
  const isCommand = commands.includes(argv[0] ?? '');
  return withConfig(isCommand || watches ? argv : ['run', ...argv], cwd);
}
