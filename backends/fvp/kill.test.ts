import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { endsWithUs } from '../../petri/unit-test/ends-with-us.ts';
import { randomMoment } from '../../petri/unit-test/random-moment.ts';
import { endAll, MARK, nothing, processesOf, tracesOf } from './testing/outside.ts';
import { installStandIn, standInWorks } from './testing/stand-in.ts';

const runner = fileURLToPath(new URL('testing/kill-runner.mjs', import.meta.url));

/** For more kills: `PETRI_KILLS=1000 npx vitest run fvp/kill --testTimeout=0`. */
const KILLS = Number(process.env['PETRI_KILLS'] ?? 40);

/** Concurrent test runs. */
const PARALLEL = 3;

/** Milliseconds in which a boot and a few tests take place, so that kills hit every phase. */
const MOMENTS = 1500;

let folder: string;
let lives = 0;
const marks: string[] = [];

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'petri-fvp-kill-')));
  if (standInWorks()) installStandIn(join(folder, 'stack'));
});

afterAll(() => {
  endAll(marks);
  rmSync(folder, { recursive: true, force: true });
});

/** A test run on the stand-in, with folders of its own. */
class Life {
  readonly mark: string;
  readonly verdicts: string[] = [];
  worker = 0;
  readonly #home: string;
  readonly #runner: ChildProcess;
  readonly #said: (() => void)[] = [];

  constructor() {
    this.mark = `life-${process.pid}-${++lives}`;
    marks.push(this.mark);
    this.#home = join(folder, this.mark);
    for (const part of ['tmp', 'state', 'runs']) mkdirSync(join(this.#home, part), { recursive: true });
    this.#runner = spawn(process.execPath, [...endsWithUs, runner, join(this.#home, 'runs')], {
      env: {
        ...process.env,
        [MARK]: this.mark,
        PETRI_CCA_ROOT: join(folder, 'stack'),
        PETRI_FVP_MODELS: '1',
        PETRI_STATE_DIR: join(this.#home, 'state'),
        TMPDIR: join(this.#home, 'tmp'),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#runner;
    if (stdout === null) throw new Error('unreachable: its output is a pipe');
    createInterface({ input: stdout }).on('line', (line) => {
      const [word, value = ''] = line.split(' ');
      if (word === 'worker') this.worker = Number(value);
      else this.verdicts.push(value);
      for (const wake of this.#said.splice(0)) wake();
    });
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#said.push(resolve));
  }

  /** @returns whether there was something to kill */
  kill(what: 'runner' | 'worker' | 'model'): boolean {
    const pid = what === 'runner' ? this.#runner.pid : what === 'worker' ? this.worker : this.#model();
    if (pid === undefined || pid === 0) return false;
    try {
      return process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
      return false;
    }
  }

  async untilModel(): Promise<void> {
    await expect.poll(() => this.#model()).toBeDefined();
  }

  #model(): number | undefined {
    return processesOf(this.mark).find(({ command }) => command.includes('FVP_Base_RevC-2xAEMvA --stat'))?.pid;
  }

  async expectNothingLeft(): Promise<void> {
    const folders = [join(this.#home, 'tmp'), join(this.#home, 'state')];
    await expect.poll(() => tracesOf(this.mark, folders)).toEqual(nothing);
    rmSync(this.#home, { recursive: true });
  }
}

/** Mulberry32: the same moments in each run of this test. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe.skipIf(!standInWorks())('SIGKILL at random moments', () => {
  it(`to runner, worker and model, ${KILLS} times: nothing is left, and other runs continue`, async () => {
    const next = random(0x5eed);
    const counts = { runner: 0, worker: 0, model: 0 };
    let kills = 0;
    const live = async (): Promise<void> => {
      while (kills < KILLS) {
        const life = new Life();
        await life.until(() => life.worker > 0);
        // Some models first; then the whole run, through its runner or its worker.
        for (let models = Math.floor(next() * 3); models > 0 && kills < KILLS; models--) {
          await life.untilModel();
          await randomMoment(next(), MOMENTS);
          // It may have ended for another reason meanwhile.
          if (!life.kill('model')) continue;
          kills++;
          counts.model++;
        }
        await randomMoment(next(), MOMENTS);
        const what = next() < 0.5 ? 'runner' : 'worker';
        expect(life.kill(what)).toBe(true);
        kills++;
        counts[what]++;
        await life.expectNothingLeft();
      }
    };
    const peaceful = new Life();
    await Promise.all(Array.from({ length: PARALLEL }, live));
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(KILLS / 10);
    // The concurrent run was not affected.
    const before = peaceful.verdicts.length;
    await peaceful.until(() => peaceful.verdicts.length > before + 1);
    expect(new Set(peaceful.verdicts)).toEqual(new Set(['pass']));
    peaceful.kill('runner');
    await peaceful.expectNothingLeft();
  });

  it('to a model: its test is lost, and the next one gets another model', async () => {
    const life = new Life();
    await life.until(() => life.verdicts.includes('pass'));
    const before = life.verdicts.length;
    expect(life.kill('model')).toBe(true);
    await life.until(() => life.verdicts.slice(before).includes('pass'));
    expect(life.verdicts.slice(before).filter((verdict) => verdict !== 'pass').length).toBeLessThanOrEqual(1);
    life.kill('worker');
    await life.expectNothingLeft();
  });
});
