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
 * The reaper's program as long as its owner lives: it waits for its input to end. Only then it loads our code, for
 * which each worker would otherwise pay memory and time.
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
await runReaper(ledger, JSON.parse(owner), ended);
process.exit();
`;

const maxStarts = 10;

/** A process that outlives this one, to end what is in its ledger. */
export class Reaper {
  readonly #ledger: Ledger;
  readonly #owner: ProcessIdentity;
  readonly #runner: ProcessIdentity | undefined;
  #child: ChildProcess | undefined;
  #starts = 0;
  #closed = false;

  /** @param runner whose death also ends the owner */
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
      throw new PetriError('the process that cleans up after this one ended repeatedly', {
        code: 'spawn-failed',
        step: 'launch',
        remedy: `see ${logPath(this.#ledger.path)}`,
      });
    }
    const log = openSync(logPath(this.#ledger.path), 'a', 0o600);
    const child = spawn(process.execPath, this.#argv(), {
      // A session of its own, so that it does not receive signals of a terminal.
      detached: true,
      cwd: '/',
      env: reaperEnvironment(),
      stdio: ['pipe', 'ignore', log],
    });
    closeSync(log);
    // Neither the reaper nor its pipe keeps this process from ending.
    child.unref();
    if (child.stdin instanceof Socket) child.stdin.unref();
    child.stdin?.on('error', () => {
      // It has ended, which 'exit' reports.
    });
    child.on('error', () => {
      // If it did not start it has no pid, which is checked below.
    });
    child.once('exit', () => {
      if (!this.#closed) this.#restart();
    });
    if (child.pid === undefined) throw notStarted();
    this.#child = child;
    const started = systemProcessTable().find(child.pid);
    if (started !== undefined) this.#ledger.reaper({ pid: started.pid, start: started.start });
  }

  /** Ends the reaper; or, if something could not be ended here, leaves that to it. */
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

/** Removes options for this process, such as a debugger's port, and tokens, so that no supervisor above ends it. */
function reaperEnvironment(): NodeJS.ProcessEnv {
  const left = new Set(['NODE_OPTIONS', 'NODE_V8_COVERAGE', TOKEN_VARIABLE]);
  const kept = Object.entries(process.env).filter(([name]) => !left.has(name));
  return { ...Object.fromEntries(kept), [REAPER_VARIABLE]: '1' };
}
