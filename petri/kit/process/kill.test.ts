import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, describe, expect, it } from 'vitest';

import { identityOf, isAlive, procTable, systemProcessTable } from './process-table.ts';
import { readLedger } from './read-ledger.ts';
import { stateFolders } from './state-directory.ts';
import { waitForRun } from './sweep.ts';
import { HANGS } from '../../unit-test/hangs.ts';
import { randomMoment } from '../../unit-test/random-moment.ts';
import { until } from '../../unit-test/until.ts';
import { usePrivateState } from './testing.ts';

const runner = fileURLToPath(new URL('fixtures/runner.mjs', import.meta.url));
const stubborn = fileURLToPath(new URL('fixtures/stubborn.sh', import.meta.url));
const MARK = 'PETRI_KILL_TEST';

/** Rounds of five kills each. For more: `PETRI_KILL_ROUNDS=100 npx vitest run petri/process/kill --testTimeout=0`. */
const ROUNDS = Number(process.env['PETRI_KILL_ROUNDS'] ?? 8);

const home = usePrivateState();
const lives: Life[] = [];

afterAll(() => {
  // Only if the test failed.
  for (const pid of lives.flatMap((life) => life.processes())) {
    try {
      kill(pid);
    } catch {
      // It ended meanwhile.
    }
  }
});

interface Message {
  readonly worker: number;
  readonly child?: number;
  readonly ended?: number;
  readonly survivors?: readonly number[];
}

/** A runner with workers, each with a stubborn family of processes, a folder and a slot. */
class Life {
  readonly name: string;
  readonly directory: string;
  readonly runner: ChildProcess;
  readonly messages: Message[] = [];
  readonly #waiting = new Set<() => void>();
  #failure: Error | undefined;
  /** Others may run this test at the same time. */
  readonly #mark: string;

  constructor(name: string, workers: number) {
    lives.push(this);
    this.name = name;
    this.#mark = `[${process.pid}/${name}]`;
    this.directory = join(home.folder, name);
    this.runner = spawn(process.execPath, [runner, this.directory, stubborn, String(workers)], {
      env: { ...process.env, [MARK]: this.#mark },
      // Workers that start after their runner has ended print a message.
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    if (this.runner.stdout === null) throw new Error('the runner has no output');
    this.runner.once('exit', (code) => {
      if (code === null) return;
      this.#failure = new Error('a worker ended by itself: run fixtures/worker.mjs to see why');
      for (const wake of this.#waiting) wake();
    });
    createInterface(this.runner.stdout).on('line', (line) => {
      this.messages.push(JSON.parse(line) as Message);
      for (const wake of this.#waiting) wake();
    });
  }

  async message(matches: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(matches);
      if (found !== undefined) return found;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** The current child of a worker. */
  async child(worker: number): Promise<number> {
    const ended = new Set(this.messages.flatMap((message) => message.ended ?? []));
    const isNow = (message: Message): boolean =>
      message.worker === worker && message.child !== undefined && !ended.has(message.child);
    const { child } = await this.message(isNow);
    if (child === undefined) throw new Error('a message without a child');
    return child;
  }

  async workers(count: number): Promise<number[]> {
    const all = (): number[] => [...new Set(this.messages.flatMap(({ worker, child }) => (child ? [worker] : [])))];
    await this.message(() => all().length >= count);
    return all();
  }

  /** The current reaper of a worker. */
  async reaper(worker: number, but?: number): Promise<number> {
    const { ledgers } = stateFolders();
    return await until(() => {
      const name = readdirSync(ledgers).find((file) => file.startsWith(`${worker}-`) && file.endsWith('.ndjson'));
      const state = readLedger(join(ledgers, name ?? 'none'));
      if (state === undefined || 'unreadable' in state) return undefined;
      return state.reapers.find((one) => one.pid !== but && isAlive(one))?.pid;
    });
  }

  /** All descendants of the runner that still have their environment, seen from outside. */
  processes(): number[] {
    const mark = `${MARK}=${this.#mark}`;
    return procTable.list().flatMap(({ pid }) => (procTable.environment(pid)?.includes(mark) === true ? [pid] : []));
  }

  async expectNothingLeft(): Promise<void> {
    expect(await waitForRun(this.directory, HANGS)).toEqual([]);
    // A worker without a ledger may have been starting; a reaper ends only after it has removed the ledger.
    await expect.poll(() => this.processes()).toEqual([]);
    expect(await waitForRun(this.directory, HANGS)).toEqual([]);
  }
}

/** A small generator of numbers in 0..1, so that a failing round can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function kill(pid: number): void {
  process.kill(pid, 'SIGKILL');
}

function pick<T>(items: readonly T[], next: () => number): T {
  const item = items[Math.floor(next() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Four kills: a child, a reaper, a worker, the runner. */
async function fullLife(name: string, seed: number): Promise<void> {
  const next = random(seed);
  const life = new Life(name, 2);
  const workers = await life.workers(2);
  const unlucky = pick(workers, next);
  const other = workers.find((worker) => worker !== unlucky) ?? unlucky;

  const child = await life.child(unlucky);
  const othersChild = identityOf(await life.child(other));
  await randomMoment(next(), 50);
  kill(child);
  const message = await life.message(({ ended }) => ended === child);
  expect(message.survivors).toEqual([]);
  expect(isAlive(othersChild)).toBe(true);

  const reaper = await life.reaper(unlucky);
  await randomMoment(next(), 50);
  kill(reaper);
  // Sometimes the worker dies before it can start another reaper.
  if (next() < 0.7) await life.reaper(unlucky, reaper);
  await randomMoment(next(), 50);
  kill(unlucky);
  // The other worker is not affected.
  expect(isAlive(othersChild)).toBe(true);

  if (next() < 0.3) kill(await life.reaper(other));
  await randomMoment(next(), 50);
  kill(life.runner.pid ?? 0);
  await life.expectNothingLeft();
}

/** The runner is killed while its worker starts. */
async function shortLife(name: string, seed: number): Promise<void> {
  const life = new Life(name, 1);
  await randomMoment(random(seed)(), 700);
  kill(life.runner.pid ?? 0);
  await life.expectNothingLeft();
}

async function inParallel(jobs: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const queue = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: width }, work));
}

// setsid(1) and /proc are how families run away here, and how it is seen from outside whether they did.
describe.runIf(systemProcessTable() === procTable)('after SIGKILL at a random moment', () => {
  it(`nothing is left, ${5 * ROUNDS} times over`, async () => {
    const full = Array.from({ length: ROUNDS }, (_, seed) => () => fullLife(`full-${seed}`, seed));
    const short = Array.from({ length: ROUNDS }, (_, seed) => () => shortLife(`short-${seed}`, seed));
    await inParallel(
      full.flatMap((job, index) => [job, short[index] ?? job]),
      4,
    );
    const { ledgers, slots } = stateFolders();
    expect(readdirSync(join(home.folder, 'tmp'))).toEqual([]);
    expect(readdirSync(join(slots, 'kill'))).toEqual([]);
    expect(readdirSync(ledgers)).toEqual([]);
    expect(withoutEnvironment()).toEqual([]);
  });
});

/** Processes of stubborn.sh that lost their environment have the mark in their command line. */
function withoutEnvironment(): number[] {
  return procTable.list().flatMap(({ pid }) => {
    const path = `/proc/${pid}/cmdline`;
    const command = existsSync(path) ? readFileSync(path, 'latin1') : '';
    return command.includes(`: [${process.pid}/`) && procTable.isOwn(pid) ? [pid] : [];
  });
}
