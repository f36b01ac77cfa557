import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PetriError } from '../../errors.ts';
import { examine } from './examine.ts';
import { digestFiles } from './files.ts';
import { logTail } from './log-file.ts';
import { withRootLock } from './root-lock.ts';
import { type RunOutcome, runSteps, type StackReporter } from './run-steps.ts';
import type { StackPlan, StackStep, StepContext } from './step.ts';

const silent: StackReporter = {
  skipped: () => undefined,
  started: () => undefined,
  finished: () => undefined,
  failed: () => undefined,
  waiting: () => undefined,
  note: () => undefined,
};

describe('a stack built in steps', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'petri-steps-'))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** A step that writes its inputs to a file of its name. */
  function step(name: string, more: Partial<StackStep> = {}): StackStep {
    const path = join(root, name);
    const inputs = more.inputs ?? { text: name };
    return {
      name,
      title: name,
      inputs,
      commands: [],
      run: (context) => context.log('working').then(() => writeFileSync(path, JSON.stringify(inputs))),
      inspect: async () => await digestFiles({ file: path }),
      ...more,
    };
  }

  const plan = (...steps: StackStep[]): StackPlan => ({ root, steps, seal: join(root, 'sealed'), notes: [] });

  async function build(
    of: StackPlan,
    force: string[] = [],
    signal = new AbortController().signal,
  ): Promise<RunOutcome> {
    const run = (): Promise<void> => Promise.resolve();
    return await runSteps(of, { reporter: silent, signal, force: new Set(force), run });
  }

  it('runs a step once, and again when an input changes', async () => {
    expect(await build(plan(step('a')))).toEqual({ ran: ['a'], skipped: [] });
    expect(await build(plan(step('a')))).toEqual({ ran: [], skipped: ['a'] });
    const changed = plan(step('a', { inputs: { text: 'other' } }));
    const [examined] = await examine(changed);
    expect(examined?.state).toEqual({ state: 'due', why: ['text changed: a -> other'] });
    expect(await build(changed)).toEqual({ ran: ['a'], skipped: [] });
  });

  it('runs dependent steps only when the output of a step changed', async () => {
    const b = step('b', { after: ['a'] });
    await build(plan(step('a'), b));
    expect(await build(plan(step('a'), b), ['a'])).toEqual({ ran: ['a'], skipped: ['b'] });
    expect(await build(plan(step('a', { inputs: { text: 'other' } }), b))).toEqual({ ran: ['a', 'b'], skipped: [] });
  });

  it('repeats a step whose output is missing or was changed', async () => {
    await build(plan(step('a'), step('b')));
    rmSync(join(root, 'a'));
    writeFileSync(join(root, 'b'), 'scribble');
    const states = (await examine(plan(step('a'), step('b')))).map(({ state }) => state);
    expect(states).toEqual([
      { state: 'due', why: [`${join(root, 'a')} is missing`] },
      { state: 'due', why: [expect.stringMatching(/^since it was made, file changed: /)] },
    ]);
  });

  it('treats an invalid stamp as missing', async () => {
    await build(plan(step('a')));
    writeFileSync(join(root, 'stamps', 'a.json'), '{ "version": 1, "step": "a"');
    expect(await build(plan(step('a')))).toEqual({ ran: ['a'], skipped: [] });
  });

  it('fails if its output is missing afterwards', async () => {
    const lazy = step('a', { run: () => Promise.resolve() });
    await expect(build(plan(lazy))).rejects.toThrow(/step 1 of 1, a: .* is missing/);
    expect(existsSync(join(root, 'stamps', 'a.json'))).toBe(false);
  });

  it('removes the seal as soon as something must run, and not before', async () => {
    const sealing = plan(step('a'), step('sealed', { after: ['a'] }));
    await build(sealing);
    const sealed = (): boolean => existsSync(join(root, 'sealed'));
    const check: StackStep = {
      name: 'check',
      title: '',
      inputs: {},
      commands: [],
      run: () => (expect(sealed()).toBe(true), Promise.resolve()),
    };
    await build({ ...sealing, steps: [check, ...sealing.steps] });
    const failing = step('a', { inputs: { text: 'new' }, run: () => Promise.reject(new Error('no room')) });
    await expect(build({ ...sealing, steps: [failing, ...sealing.steps.slice(1)] })).rejects.toThrow('no room');
    expect(sealed()).toBe(false);
  });

  it('tells a step that its last run was killed, but not that it failed', async () => {
    const seen: boolean[] = [];
    const watching = (end: (context: StepContext) => Promise<void>): StackStep =>
      step('a', {
        run: async (context) => {
          seen.push(context.interrupted);
          await end(context);
          writeFileSync(join(root, 'a'), 'a');
        },
      });
    await expect(build(plan(watching(() => Promise.reject(new Error('cc failed')))))).rejects.toThrow('cc failed');
    const interruption = new AbortController();
    const interrupting = watching(() => Promise.resolve(interruption.abort()));
    await expect(build(plan(interrupting), [], interruption.signal)).rejects.toMatchObject({ code: 'interrupted' });
    expect((await examine(plan(step('a'))))[0]?.state).toMatchObject({ why: ['it was interrupted'] });
    await build(plan(watching(() => Promise.resolve())));
    await build(plan(watching(() => Promise.resolve())), ['a']);
    expect(seen).toEqual([false, false, true, false]);
  });

  it('remembers forced steps that were not reached', async () => {
    await build(plan(step('a'), step('b')));
    const failing = step('a', { run: () => Promise.reject(new Error('no')) });
    await expect(build(plan(failing, step('b')), ['a', 'b'])).rejects.toThrow('no');
    expect(await build(plan(step('a'), step('b')))).toEqual({ ran: ['a', 'b'], skipped: [] });
  });

  it('reports in which step an error occurred, and keeps its code and remedy', async () => {
    const error = new PetriError('no such tool', { code: 'tool-missing', step: 'install', remedy: 'get it' });
    const failing = step('a', { run: () => Promise.reject(error) });
    const thrown: unknown = await build(plan(failing)).catch((reason: unknown) => reason);
    expect(thrown).toMatchObject({ code: 'tool-missing', remedy: 'get it', cause: error });
    expect(thrown).toMatchObject({ message: 'step 1 of 1, a: no such tool\n  remedy: get it' });
  });

  it('locks out other processes', async () => {
    await withRootLock(root, {}, async () => {
      await expect(build(plan(step('a')))).rejects.toMatchObject({ code: 'stack-busy' });
    });
    expect(await build(plan(step('a')))).toMatchObject({ ran: ['a'] });
  });

  it('keeps the log of a step, and that of the previous run', async () => {
    await build(plan(step('a')));
    await build(plan(step('a')), ['a']);
    expect(readFileSync(join(root, 'logs', 'a.log'), 'utf8')).toBe('working\n');
    expect(readFileSync(join(root, 'logs', 'a.log.1'), 'utf8')).toBe('working\n');
  });

  it('shows only the end of a log, without control sequences', async () => {
    const path = join(root, 'log');
    writeFileSync(path, `${'x'.repeat(1 << 20)}\n\x1b[31mred\x1b[0m\n\n${'long '.repeat(1000)}\nlast\r\n`);
    const lines = (await logTail(path)).split('\n');
    expect(lines[0]).toBe('red');
    expect(lines[1]).toHaveLength(400);
    expect(lines.at(-1)).toBe('last');
    expect(await logTail(join(root, 'none'))).toBe('');
  });
});
