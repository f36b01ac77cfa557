import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { shared } from '../../shared.ts';
import { endContainers } from './containers.ts';
import { Ledger, ledgerPath } from './ledger.ts';
import { runtimeLabel } from './ledger-records.ts';
import { findFreePort } from './ports.ts';
import { identityOf, type ProcessIdentity, systemProcessTable } from './process-table.ts';
import { Reaper } from './reaper.ts';
import { type RunIdentity, runIdentity } from '../../run-identity.ts';
import { leavePlace, takePlace } from './slots.ts';
import { spawnSupervised, type Supervised } from './spawn.ts';
import { type StateFolders, stateFolders } from './state-directory.ts';
import { sweep } from './sweep.ts';
import { makeTemporaryFolder, removeTemporaryFolder, temporaryName } from './temporary-folder.ts';
import type {
  ContainerRegistration,
  ContainerRuntime,
  Slot,
  SlotWait,
  SpawnOptions,
  SupervisedProcess,
  TemporaryFolder,
} from './types.ts';

const own = shared<{ supervisor?: Promise<Supervisor>; opened?: Supervisor }>('supervisor', () => ({}));

/** Something to be ended with the supervisor. */
interface Held {
  end(): Promise<unknown>;
}

/** Starts processes and creates everything else that must not be left behind. One per process: `Supervisor.open()`. */
export class Supervisor {
  readonly #folders: StateFolders;
  readonly #ledger: Ledger;
  readonly #reaper: Reaper;
  readonly #run: RunIdentity | undefined;
  readonly #processes = new Set<Supervised>();
  readonly #held = new Set<Held>();
  readonly #slots = new Set<Slot>();
  /** Calls that wait for a place. */
  readonly #waiting = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  #tickets = 0;
  #closing: Promise<void> | undefined;

  private constructor(folders: StateFolders, run: RunIdentity | undefined) {
    this.#folders = folders;
    this.#run = run;
    const self = identityOf(process.pid);
    const runner = run?.runner === undefined ? undefined : runnerOf(run.runner);
    this.#ledger = new Ledger(folders.ledgers, self);
    if (run !== undefined) this.#ledger.run(run.directory, runner);
    this.#reaper = new Reaper(this.#ledger, self, runner);
  }

  /**
   * The supervisor of this process. The first call makes the ledger, starts the reaper and sweeps what earlier crashes
   * left.
   *
   * @throws PetriError `state-directory`, `spawn-failed`; `interrupted` if the runner has died
   */
  static open(): Promise<Supervisor> {
    own.supervisor ??= Supervisor.#make().catch((error: unknown) => {
      delete own.supervisor;
      throw error;
    });
    return own.supervisor;
  }

  static async #make(): Promise<Supervisor> {
    const supervisor = new Supervisor(stateFolders(), runIdentity());
    own.opened = supervisor;
    try {
      supervisor.#reaper.start();
    } catch (error) {
      await supervisor.close();
      throw error;
    }
    try {
      await sweep();
    } catch (error) {
      // Leftovers of others must not prevent this run.
      process.emitWarning(`what earlier runs left could not be swept: ${String(error)}`, 'PetriWarning');
    }
    return supervisor;
  }

  /** The supervisor of this process, if it was opened and not closed. */
  static current(): Supervisor | undefined {
    return own.opened;
  }

  /** @throws PetriError `tool-missing` if there is no such command, `spawn-failed` if it cannot be started */
  async spawn(options: SpawnOptions): Promise<SupervisedProcess> {
    this.#mustBeOpen();
    const started = await spawnSupervised(this.#ledger, options);
    this.#processes.add(started);
    started.onEnded = () => this.#processes.delete(started);
    if (started.ended) this.#processes.delete(started);
    return started;
  }

  /**
   * @param purpose part of the folder's name: 'model'
   * @throws PetriError `spawn-failed` if it cannot be created
   */
  async temporaryFolder(purpose: string): Promise<TemporaryFolder> {
    this.#mustBeOpen();
    const path = temporaryName(purpose);
    const entry = this.#ledger.open({ kind: 'folder', path });
    try {
      makeTemporaryFolder(path);
    } catch (error) {
      this.#ledger.end(entry);
      throw new PetriError(`temporary folder ${path} cannot be made: ${String(error)}`, {
        code: 'spawn-failed',
        step: 'launch',
        remedy: 'look at its file system (df), or let TMPDIR name another one',
        cause: error,
      });
    }
    const remove = this.#hold(entry, () => removeTemporaryFolder(path));
    return { path, remove };
  }

  /**
   * To be called before the container is started.
   *
   * @param container with a label that starts with `petri-vm`, or without one, in which case one is generated
   * @throws PetriError `invalid-option` for a label that others may use
   */
  async container(container: {
    readonly runtime: ContainerRuntime;
    readonly label?: string;
  }): Promise<ContainerRegistration> {
    this.#mustBeOpen();
    const { runtime, label = `petri-vm.owner=${randomBytes(8).toString('hex')}` } = container;
    if (!runtimeLabel.safeParse(label).success) {
      throw new PetriError(`containers cannot be kept track of by the label '${label}'`, {
        code: 'invalid-option',
        step: 'options',
        remedy: "a label is 'petri-vm.NAME=VALUE', of letters, digits, '.', '_' and '-'",
      });
    }
    const entry = this.#ledger.open({ kind: 'container', runtime, label });
    const end = this.#hold(entry, () => endContainers(runtime, label));
    return { runtime, label, end };
  }

  /**
   * Waits for one of `capacity` places, machine-wide and in the order of arrival.
   *
   * @param pool letters, digits, '_' and '-'
   * @throws PetriError `interrupted` when the signal aborts
   */
  async slot(pool: string, capacity: number, wait: SlotWait = {}): Promise<Slot> {
    this.#mustBeOpen();
    const ticket = `${this.#ledger.id}_${this.#tickets++}`;
    const folder = join(this.#folders.slots, pool);
    const entry = this.#ledger.open({ kind: 'slot', pool, ticket });
    const queue = { folder, pool, capacity: Math.max(1, capacity), isLive: (id: string) => this.#isLive(id), sweep };
    const signal = AbortSignal.any([this.#ending.signal, ...(wait.signal === undefined ? [] : [wait.signal])]);
    const place = takePlace(queue, ticket, this.#run?.directory ?? process.cwd(), { ...wait, signal });
    this.#waiting.add(place);
    let index: number;
    try {
      index = await place;
    } catch (error) {
      this.#ledger.end(entry);
      throw error;
    } finally {
      this.#waiting.delete(place);
    }
    let held = true;
    const slot: Slot = {
      pool,
      index,
      release: () => {
        if (!held) return;
        held = false;
        leavePlace(folder, ticket);
        this.#ledger.end(entry);
        this.#slots.delete(slot);
      },
    };
    this.#slots.add(slot);
    return slot;
  }

  /** A TCP port of 127.0.0.1 that is not in use or given to another run. Another program may still take it first. */
  async freePort(): Promise<number> {
    this.#mustBeOpen();
    const port = await findFreePort(this.#folders.ledgers);
    this.#ledger.open({ kind: 'port', port });
    return port;
  }

  /**
   * Ends everything in order; what cannot be ended is left to the reaper, with a warning. Idempotent; never rejects.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** For a process that is about to end at once: SIGKILL to all processes. The reaper does the rest. */
  killNow(): void {
    for (const started of this.#processes) started.killNow();
  }

  async #close(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#waiting);
    const reports = await Promise.all([...this.#processes].map((started) => started.stop()));
    const problems = reports
      .flatMap(({ survivors }) => survivors)
      .map((pid) => `process ${pid} still exists after SIGKILL`);
    for (const result of await Promise.allSettled([...this.#held].map((held) => held.end()))) {
      if (result.status === 'rejected') problems.push(String(result.reason));
    }
    if (problems.length === 0) for (const slot of this.#slots) slot.release();
    for (const problem of problems) process.emitWarning(problem, 'PetriWarning');
    this.#ledger.close(problems.length > 0);
    await this.#reaper.close(problems.length > 0);
    if (own.opened === this) {
      delete own.opened;
      delete own.supervisor;
    }
  }

  #hold(entry: number, end: () => Promise<void>): () => Promise<void> {
    let ending: Promise<void> | undefined;
    const endOnce = (): Promise<void> => {
      ending ??= end().then(
        () => {
          this.#ledger.end(entry);
          this.#held.delete(held);
        },
        (error: unknown) => {
          // It may succeed the next time.
          ending = undefined;
          throw error;
        },
      );
      return ending;
    };
    const held: Held = { end: endOnce };
    this.#held.add(held);
    return endOnce;
  }

  #isLive(ticket: string): boolean {
    const id = ticket.slice(0, ticket.lastIndexOf('_'));
    return existsSync(ledgerPath(this.#folders.ledgers, id));
  }

  #mustBeOpen(): void {
    if (this.#closing === undefined) return;
    throw new PetriError('this process is ending: nothing can be started any more', {
      code: 'interrupted',
      step: 'teardown',
    });
  }
}

/** In a pool of threads the runner is the process itself. */
function runnerOf(pid: number): ProcessIdentity | undefined {
  if (pid === process.pid) return undefined;
  const row = systemProcessTable().find(pid);
  if (row !== undefined) return { pid: row.pid, start: row.start };
  throw new PetriError(`the run that this process belongs to has ended: there is no process ${pid}`, {
    code: 'interrupted',
    step: 'launch',
  });
}
