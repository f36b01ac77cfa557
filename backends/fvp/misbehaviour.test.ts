import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { endsWithUs } from '../../petri/unit-test/ends-with-us.ts';
import { hurried } from '../../petri/unit-test/hurried.ts';
import { until } from '../../petri/unit-test/until.ts';
import { endAll, MARK, nothing, tracesOf } from './testing/outside.ts';
import { installStandIn, standInWorks } from './testing/stand-in.ts';

const petri = fileURLToPath(new URL('../../bin/petri.mjs', import.meta.url));

/** Concurrent cases: most of them wait for a deadline. */
const PARALLEL = 4;

/** Initial factor for budgets that are to run out: a stage then has from 1.8 s to 18 s. */
const HURRY = 0.03;

/** Factor for budgets that must not run out. */
const PATIENT = 50;

/** Slows a boot so that each stage is seen before the next begins. */
const PACE = 'delay=30';

let folder: string;
let stack: string;
let containerStack: string;
const marks: string[] = [];

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'petri-misbehaviour-')));
  stack = join(folder, 'stack');
  containerStack = join(folder, 'container-stack');
  if (!standInWorks()) return;
  installStandIn(stack);
  installStandIn(containerStack, '--runtime=docker');
});

afterAll(() => {
  endAll(marks);
  rmSync(folder, { recursive: true, force: true });
});

interface Case {
  readonly faults: string;
  readonly slowFactor?: number;
  readonly args?: readonly string[];
  /** Through shrinkwrap's `run`, in a container. */
  readonly inContainer?: boolean;
}

interface Ended {
  readonly output: string;
  readonly code: number | null;
}

let turn: Promise<unknown>[] = [];

/** Runs a TMK on the stand-in with the user's command, and checks from outside what is left when it has ended. */
async function run(options: Case): Promise<Ended> {
  while (turn.length >= PARALLEL) await Promise.race(turn);
  const mine = runNow(options).finally(() => {
    turn = turn.filter((other) => other !== mine);
  });
  turn.push(mine);
  return await mine;
}

/** For budgets that are to run out. */
async function runHurried(options: Case, words: RegExp): Promise<Ended> {
  return await hurried(
    HURRY,
    (slowFactor) => run({ ...options, slowFactor }),
    ({ output }) => words.test(output),
  );
}

async function runNow({ faults, slowFactor = PATIENT, args = ['hello'], inContainer = false }: Case): Promise<Ended> {
  const mark = randomBytes(8).toString('hex');
  marks.push(mark);
  const home = join(folder, mark);
  for (const part of ['tmp', 'state', 'work']) mkdirSync(join(home, part), { recursive: true });
  const child = spawn(process.execPath, [...endsWithUs, petri, 'tmk', 'run', ...args, '--backend=fvp'], {
    cwd: join(home, 'work'),
    env: {
      ...process.env,
      [MARK]: mark,
      NO_COLOR: '1',
      PATH: `${join(stack, 'venv/bin')}:${process.env['PATH'] ?? ''}`,
      PETRI_CCA_ROOT: inContainer ? containerStack : stack,
      PETRI_FVP_MODELS: '1',
      PETRI_SLOW_FACTOR: String(slowFactor),
      PETRI_STAND_IN: faults,
      PETRI_STAND_IN_DOCKER: join(home, 'state', 'containers'),
      PETRI_STATE_DIR: join(home, 'state'),
      TMPDIR: join(home, 'tmp'),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  // expect.poll() cannot be used in concurrent tests.
  await until(() => isDeepStrictEqual(tracesOf(mark, [join(home, 'tmp'), join(home, 'state')]), nothing));
  return { output, code };
}

describe.skipIf(!standInWorks())('a model that misbehaves', () => {
  it.concurrent.each([
    ['model', 'hang=model', 'model'],
    ['with its ports open', 'hang=ports', 'tf-a'],
    ['TF-A', 'hang=tf-a', 'tf-a'],
    ['RMM', 'hang=rmm', 'rmm'],
    ['EDK2', 'hang=edk2', 'host kernel'],
    ['host kernel', 'hang=host-kernel', 'host kernel'],
    ['init', 'hang=host-agent', 'host agent'],
    ['kvmtool', 'hang=realm', 'plane 0'],
    ['plane 0', 'hang=plane0', 'plane 0'],
    ['a missing terminal', 'no-terminal=3', 'model'],
  ])('hangs (%s): reports the stage that was not reached', async (_, faults, stage) => {
    const words = new RegExp(`petri: boot stage '${stage}' was not reached within \\d`);
    const { output, code } = await runHurried({ faults }, words);
    expect(output).toMatch(words);
    expect(output).toContain('remedy: ');
    expect(code).toBe(1);
  });

  it.concurrent('hangs before the console of plane 0: reports its last output', async () => {
    const words = /petri: boot stage 'plane 0' was not reached/;
    const { output } = await runHurried({ faults: 'hang=plane0' }, words);
    expect(output).toMatch(/host[\s\S]*RME: Using RSI version 1\.0[\s\S]*Run \/virt\/init as init process/);
  });

  it.concurrent.each([
    ['TF-A', 'crash=tf-a', '(?:model|tf-a)', /BL2 could not load an image of the FIP/, /Failed to load image id 3/],
    ['RMM', 'crash=rmm', 'rmm', /an assertion of the RMM failed/, /granule_state_ok/],
    ['EDK2', 'crash=edk2', 'host kernel', /EDK2 took an exception/, /Synchronous Exception at 0x/],
    ['host kernel', 'crash=host-kernel', 'host kernel', /Linux found no root file system/, /Unable to mount root fs/],
    ['init', 'crash=host-agent', 'host agent', /Linux's init ended/, /Attempted to kill init/],
    [
      'host kernel, with a realm',
      'crash=realm',
      'plane 0',
      /a Linux kernel took an exception of its own/,
      /Internal error: Oops/,
    ],
    ['plane 0', 'crash=plane0', 'plane 0', /a Linux kernel took an exception/, /synchronous external abort/],
  ])('has a world that crashes (%s): reports stage and message', async (_, faults, stage, meaning, words) => {
    const { output, code } = await run({ faults: `${faults},${PACE}` });
    expect(output).toMatch(meaning);
    expect(output).toMatch(words);
    expect(output).toMatch(new RegExp(`\\d m?s after boot stage '${stage}' began`));
    expect(code).toBe(1);
  });

  it.concurrent.each([
    ['before its ports', 'exit=model:1', 'model', 1],
    ['with its ports open', 'exit=ports:139', '(?:model|tf-a)', 139],
    ['in TF-A', 'exit=tf-a:134', '(?:model|tf-a)', 134],
    ['in RMM', 'exit=rmm:3', 'rmm', 3],
    ['in init', 'exit=host-agent:134', 'host agent', 134],
    ['while a realm is made', 'exit=realm:134', 'plane 0', 134],
    ['before plane 0', 'exit=plane0:134', 'plane 0', 134],
  ])('ends %s: reports the stage and the exit code', async (_, faults, stage, exitCode) => {
    const { output, code } = await run({ faults: `${faults},${PACE}` });
    expect(output).toMatch(new RegExp(`the machine ended before boot stage '${stage}'`));
    expect(output).toMatch(new RegExp(`the model exited with code ${exitCode}`));
    expect(code).toBe(1);
  });

  it.concurrent.each([
    ['an unknown parameter', 'refuse=bp.has_rme', /bp\.has_rme/],
    ['a console that ends in the middle of a line', `cut=host-kernel,${PACE}`, /its console 'host' was lost/],
    ['lkvm that ends at once', 'lkvm=1', /lkvm ended with code 1/],
    ['no tmk_vmm', 'no-tmk-vmm', /plane 0 cannot reach the folder with tmk_vmm/],
  ])('has %s, which is reported', async (_, faults, words) => {
    const { output, code } = await run({ faults });
    expect(output).toMatch(words);
    expect(code).toBe(1);
  });

  it.concurrent.each([
    [
      'prints text that looks like a pass',
      'tmk=forge',
      /backend-lost: tmk_vmm ended with code 1 and without a verdict/,
    ],
    ['prints random bytes', 'tmk=garbage', /backend-lost: tmk_vmm ended with code 1 and without a verdict/],
    ['ends without output', 'tmk=silent', /backend-lost: tmk_vmm ended with code 1 and without a verdict/],
    ['is on a host that panics', 'crash=tmk', /backend-lost: .*(?:Internal error|Kernel panic)/],
    // The output of tmk_vmm cannot be saved, so there is no verdict.
    ['has a full disk around it', 'disk-full', /backend-lost: tmk_vmm ended with code 0 and without a verdict/],
    ['is on a model that ends', 'exit=tmk:134', /backend-lost: .*the model exited with code 134/],
  ])('has a tmk_vmm that %s: the test does not pass', async (_, faults, words) => {
    // After a crash the run waits for a sign of life.
    const { output, code } = await (faults === 'crash=tmk' ? runHurried({ faults }, words) : run({ faults }));
    expect(output).toMatch(/FAIL boot/);
    expect(output).toMatch(words);
    expect(code).toBe(1);
  });

  it.concurrent('has a tmk_vmm that hangs: the test ends at its deadline', async () => {
    const { output, code } = await run({ faults: 'tmk=hang', args: ['hello', '--timeout=0.1'] });
    expect(output).toMatch(/FAIL boot[^]*timeout/);
    expect(code).toBe(1);
  });

  it.concurrent.each([
    ['writes that are split', 'split'],
    ['lines cut by the kernel', 'interleave'],
    ['bytes that are not text', 'noise'],
    ['a lost byte', 'drop=150'],
    ['a damaged byte', 'garble=150'],
    ['a pause after each line', 'delay=3'],
    ['ports announced as old models do', 'generation=1'],
    ['standard output in blocks', 'buffered'],
    ['a console that never stops', 'flood=2,buffer-bytes=1000'],
    ['an abort after a clean end', 'abort'],
    ['a model that ignores SIGTERM', 'stubborn'],
    ['a process that leaves its session', 'orphan'],
    ['control characters shown as escapes', 'escape-messages'],
    ['events in a span', 'span'],
  ])('has %s, and the test passes', async (_, faults) => {
    const { output, code } = await run({ faults });
    expect(output).toMatch(/\| hello world\n[^]*ok {3}boot/);
    expect(code).toBe(0);
  });

  it.concurrent('ignores SIGTERM and leaves a process behind while it hangs: everything is ended', async () => {
    const words = /boot stage 'rmm' was not reached/;
    const { output } = await runHurried({ faults: 'stubborn,orphan,hang=rmm' }, words);
    expect(output).toMatch(words);
  });

  it.concurrent('finds its ports in use: it takes others, and the test passes', async () => {
    const servers = await Promise.all([5000, 5002, 8022].map(occupy));
    try {
      const { output } = await run({ faults: '' });
      expect(output).toMatch(/ok {3}boot/);
    } finally {
      for (const server of servers) server.close();
    }
  });

  it.concurrent('is lost once: its test fails, and later ones run on another model', async () => {
    const faults = join(folder, 'once');
    writeFileSync(faults, 'exit=tmk:134,once');
    const { output } = await run({ faults: `@${faults}`, args: ['selftest', 'hello'] });
    expect(output.match(/FAIL/g)).toHaveLength(1);
    expect(output).toMatch(/backend-lost: .*the model exited with code 134/);
    expect(output).toMatch(/ok {3}boot/);
  });

  it.concurrent.each(['', 'old-tmk-vmm'])(
    'gives the verdicts of the simulated realm, however its tmk_vmm reports expected failures (%s)',
    async (faults) => {
      const { output } = await run({ faults, args: ['verdicts', '--quiet'] });
      const verdicts = [...output.matchAll(/^ {2}(ok|FAIL) +(\w+)/gm)].map(([, verdict, test]) => `${verdict} ${test}`);
      expect(verdicts).toEqual([
        'ok passes',
        'FAIL fails',
        'FAIL panics',
        'FAIL faults',
        'ok fails_as_expected',
        'ok panics_as_expected',
        'ok faults_as_expected',
        'FAIL passes_unexpectedly',
        'ok linux_only',
      ]);
    },
  );

  it.concurrent.each([
    ['', /ok {3}boot/],
    ['generation=1', /ok {3}boot/],
    ['stubborn,hang=rmm', /boot stage 'rmm' was not reached/],
    ['exit=plane0:134', /the machine ended before boot stage 'plane 0'/],
  ])('is in a container, which is found by its label (%s)', async (faults, words) => {
    const it = { faults, inContainer: true };
    const { output } = await (faults.includes('hang') ? runHurried(it, words) : run(it));
    expect(output).toMatch(words);
  });

  it('leaves nothing in the folder of the stack', () => {
    for (const root of [stack, containerStack]) {
      expect(readdirSync(join(root, 'package')).sort()).toEqual(['cca-3world', 'cca-3world.yaml']);
    }
  });
});

/** Occupies a port, unless another program does already. */
async function occupy(port: number): Promise<ReturnType<typeof createServer>> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen(port, '127.0.0.1', () => resolve());
  });
  return server;
}
