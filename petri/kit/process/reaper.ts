import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';

import { PetriError } from '../../errors.ts';
import { packageRoot } from '../../package-root.ts';
import { type Ledger, logPath } from './ledger.ts';
import { type ProcessIdentity, systemProcessTable } from './process-table.ts';
import { REAPER_VARIABLE, TOKEN_VARIABLE } from './token.ts';

/**
 * What the reaper does as long as all is well: it waits for its input to end. Only then it loads anything of ours,
 * which takes memory and time that each worker would pay for.
 */
const waiting = `
import { readFileSync } from 'node:fs';
const [, load, ledger, owner, runner] = process.argv;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGPIPE']) process.on(signal, () => {});
const isThere = ({ pid, start }) => {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return true;
    const stat = readFileSync('/proc/' + pid + '/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return !'ZXx'.includes(fields[0]) && fields[19] === start;
  } catch (error) {
    return error.code === 'EPERM' || error.code === 'EACCES';
  }
};
const ended = await new Promise((resolve) => {
  const owned = () => resolve('owner');
  process.stdin.on('end', owned).on('error', owned).resume();
  if (runner === '') return;
  setInterval(() => isThere(JSON.parse(runner)) || resolve('runner'), 500);
});
const ours = await import(load);
const { runReaper } = await ours.load('petri/kit/process/run-reaper');
await runReaper(ledger, ended === 'runner' ? JSON.parse(owner) : undefined);
process.exit();
`;

const maxStarts = 10;

/** The process beside this one that outlives it, to end what is in its ledger. */
export class Reaper {
  readonly #ledger: Ledger;
  readonly #owner: ProcessIdentity;
  readonly #runner: ProcessIdentity | undefined;
  #child: ChildProcess | undefined;
  #starts = 0;
  #closed = false;

  /** @param runner ends the owner too, when it dies */
  constructor(ledger: Ledger, owner: ProcessIdentity, runner: ProcessIdentity | undefined) {
    this.#ledger = ledger;
    this.#owner = owner;
    this.#runner = runner;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws PetriError `spawn-failed` */
  start(): void {
    if (++this.#starts > maxStarts) {
      throw new PetriError('the process that cleans up after this one ended again and again', {
        code: 'spawn-failed',
        step: 'launch',
        remedy: `see ${logPath(this.#ledger.path)}`,
      });
    }
    const log = openSync(logPath(this.#ledger.path), 'a', 0o600);
    const child = spawn(process.execPath, this.#argv(), {
      // A session of its own: it does not see what a terminal sends to those in the foreground.
      detached: true,
      cwd: '/',
      env: reaperEnvironment(),
      stdio: ['pipe', 'ignore', log],
    });
    closeSync(log);
    // Neither it nor the pipe to it keeps this process from ending.
    child.unref();
    if (child.stdin instanceof Socket) child.stdin.unref();
    child.stdin?.on('error', () => {
      // It has ended: 'exit' reports it.
    });
    child.on('error', () => {
      // Not started: it has no pid, which is looked at below.
    });
    child.once('exit', () => {
      if (!this.#closed) this.#restart();
    });
    if (child.pid === undefined) throw notStarted();
    this.#child = child;
    const started = systemProcessTable().find(child.pid);
    if (started !== undefined) this.#ledger.reaper({ pid: started.pid, start: started.start });
  }

  /** Ends it, as it has nothing to do; or lets it do what could not be done here. */
  async close(leftToDo: boolean): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    if (leftToDo) {
      child?.stdin?.destroy();
      return;
    }
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.ref();
    child.kill('SIGKILL');
    await ended;
  }

  #restart(): void {
    try {
      this.start();
    } catch (error) {
      process.emitWarning(error instanceof Error ? error.message : String(error), 'PetriWarning');
    }
  }

  #argv(): string[] {
    const load = new URL('bin/load.mjs', packageRoot).href;
    const runner = this.#runner === undefined ? '' : JSON.stringify(this.#runner);
    const code = ['--input-type=module', '--eval', waiting];
    return [...code, '--', load, this.#ledger.path, JSON.stringify(this.#owner), runner];
  }
}

function notStarted(): PetriError {
  return new PetriError('the process that cleans up after this one could not be started', {
    code: 'spawn-failed',
    step: 'launch',
    remedy: 'look for limits on processes and memory (ulimit -a)',
  });
}

/**
 * Options for this process, such as a debugger's port, are not for that one; and it is not to be ended by what is above
 * this one.
 */
function reaperEnvironment(): NodeJS.ProcessEnv {
  const left = new Set(['NODE_OPTIONS', 'NODE_V8_COVERAGE', TOKEN_VARIABLE]);
  const kept = Object.entries(process.env).filter(([name]) => !left.has(name));
  return { ...Object.fromEntries(kept), [REAPER_VARIABLE]: '1' };
}
