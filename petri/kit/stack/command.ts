import { execFile } from 'node:child_process';

import { PetriError } from '../../errors.ts';
import { Supervisor } from '../process/index.ts';
import { appendToLog, logTail } from './log-file.ts';
import { OutputLines } from './output-lines.ts';
import type { StackCommand } from './step.ts';

/**
 * Runs a command of a step to its end. Its output goes to the log, and to `onLine` if given.
 *
 * @throws PetriError `tool-missing`, `tool-failed`, `interrupted`
 */
export type CommandRunner = (
  command: StackCommand,
  log: string,
  signal: AbortSignal,
  onLine?: (line: string) => void,
) => Promise<void>;

/** The command in a form that can be pasted into a shell. */
export function showCommand(command: StackCommand): string {
  const env = Object.entries(command.env ?? {}).map(([name, value]) => `${name}=${quote(value)}`);
  const line = [...env, ...command.argv.map(quote)].join(' ');
  return command.cwd === undefined ? line : `(cd ${quote(command.cwd)} && ${line})`;
}

/** Runs under supervision: the command ends with this process, as do its children and containers. */
export const runSupervised: CommandRunner = async (command, log, signal, onLine) => {
  throwIfInterrupted(signal);
  const [program, ...args] = command.argv;
  const shown = `$ ${showCommand(command)}`;
  await appendToLog(log, shown);
  onLine?.(shown);
  const lines = onLine === undefined ? undefined : new OutputLines(onLine);
  const supervisor = await Supervisor.open();
  const containers =
    command.container === undefined ? undefined : await supervisor.container({ runtime: command.container });
  // shrinkwrap leaves containers to tuxmake, which reads its additional arguments from here.
  const labels: Record<string, string> =
    containers === undefined
      ? {}
      : {
          [command.container === 'podman' ? 'TUXMAKE_PODMAN_RUN' : 'TUXMAKE_DOCKER_RUN']: `--label ${containers.label}`,
        };
  try {
    const child = await supervisor.spawn({
      name: program,
      command: program,
      args,
      env: { ...command.env, ...labels },
      output: log,
      // Compilers and make remove incomplete files when they are asked to end.
      graceMs: 10_000,
      ...(lines === undefined ? {} : { onOutput: (chunk: Buffer) => lines.push(chunk) }),
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      ...(command.unattended === true ? { stdin: 'ignore' as const } : {}),
    });
    const stop = (): void => void child.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const exit = await child.exited;
      lines?.end();
      // Processes left in its group would write into the next step's files.
      await child.stop();
      throwIfInterrupted(signal);
      if (exit.code !== 0) throw await commandFailed(command, exit.describe(), log);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  } finally {
    await containers?.end();
  }
};

async function commandFailed(command: StackCommand, ending: string, log: string): Promise<PetriError> {
  const tail = await logTail(log);
  return new PetriError(`${command.argv[0]} ${ending}: ${showCommand(command)}`, {
    code: 'tool-failed',
    step: 'install',
    details: [`the end of ${log}:`, ...tail.split('\n').map((line) => `  | ${line}`)],
    remedy: 'correct what the log complains about and give the same command again: it continues where it stopped',
  });
}

export function throwIfInterrupted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new PetriError('interrupted', {
    code: 'interrupted',
    step: 'install',
    remedy: 'give the same command again: it continues where it stopped',
    cause: signal.reason,
  });
}

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** Time-out of a query: on a machine that is busy with a build, Python alone takes a minute to start. */
const QUESTION_MS = 300_000;

/**
 * Runs a program and returns its standard output, trimmed.
 *
 * @throws Error if it cannot be run, fails, or prints nothing in time
 */
export async function ask(
  argv: readonly [string, ...string[]],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly timeout?: number } = {},
): Promise<string> {
  const [program, ...args] = argv;
  const { cwd, env = process.env, timeout = QUESTION_MS } = options;
  return await new Promise((resolve, reject) => {
    const limits = { timeout, maxBuffer: 1 << 20, killSignal: 'SIGKILL' } as const;
    const settings = { env, ...limits, ...(cwd === undefined ? {} : { cwd }) };
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout.trim());
        return;
      }
      const said = stderr.trim().split('\n').at(-1) ?? '';
      const why = error.killed === true ? `said nothing within ${String(timeout / 1000)} s` : said || error.message;
      reject(new Error(`${argv.join(' ')}: ${why}`, { cause: error }));
    });
    child.stdin?.end();
  });
}
