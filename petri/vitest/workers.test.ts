import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ourVitest, UserProject } from './testing/user-project.ts';

/** A test file that records what it finds, and leaves as much as possible behind. */
const untidy = `
  import { readFileSync } from 'node:fs';
  import { basename } from 'node:path';
  import { expect, vi } from 'vitest';
  import { petriTest, tmk } from 'petri-vm';
  import { visitors } from './visitors.ts';
  import { event } from './events.ts';

  petriTest('cca', 'first', { payload: tmk('hello') }, async ({ vm, task }) => {
    const found = {
      visitors: visitors.length,
      variable: process.env.LEFT_BEHIND ?? '',
      directory: basename(process.cwd()).slice(0, 7),
      time: vi.isFakeTimers() ? 'fake' : 'real',
      stubbed: typeof stubbed,
      spied: vi.isMockFunction(console.table),
    };
    event('found', process.pid, JSON.stringify(found));
    event('time-out', task.timeout);
    await vm.halted;
    visitors.push(task.file.name);
    process.env.LEFT_BEHIND = 'something';
    process.chdir('/');
    vi.stubGlobal('stubbed', 1);
    vi.spyOn(console, 'table');
    vi.useFakeTimers();
  });
  petriTest('cca', 'second', { payload: tmk('hello') }, async ({ vm }) => {
    expect((await vm.halted).reason).toBe('complete');
  });
`;

const mocking = (mock: string): string => `
  import { vi } from 'vitest';
  import { petriTest } from 'petri-vm';
  import { word } from './word.ts';
  import { event } from './events.ts';
  ${mock}
  petriTest('cca', 'word', () => event('word', word));
`;

const plain = `
  import { test } from 'vitest';
  import { event } from '../events.ts';
  test('plain', ({ task }) => event('unit', process.pid, globalThis.visited === undefined, task.timeout));
  globalThis.visited ??= true;
  test('again', () => {});
`;

const project = new UserProject('workers', {
  'vitest.config.ts': `
    import { load } from '../../bin/load.mjs';
    import { fileURLToPath } from 'node:url';
    const { definePetriConfig } = await load('petri/vitest/config');
    export default definePetriConfig({
      backends: { mine: () => import('./mine.ts') },
      backend: 'mine',
      resolve: { alias: { 'petri-vm': fileURLToPath(new URL('../../petri/index.ts', import.meta.url)) } },
      test: {
        maxWorkers: 1,
        projects: [
          { extends: true, test: { name: 'vm', include: ['*.test.ts'] } },
          { extends: true, test: { name: 'own', include: ['own/*.test.ts'], isolate: true, testTimeout: 4321 } },
          { extends: true, test: { name: 'unit', include: ['unit/*.test.ts'] } },
        ],
      },
    });
  `,
  'mine.ts': `
    import { event } from './events.ts';
    let prepared = false;
    const limits = { maxMemory: 2 ** 40, maxVcpus: 1, maxPlanes: 1 };
    export const backend = {
      name: 'mine',
      description: 'a backend that has to be prepared',
      probe: async () => ({ available: true, isolation: { cca: ['tmk', 'instruction-budget'] }, limits, facts: {} }),
      prepare: async () => {
        const { TestRunner } = await import('vitest');
        for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
        prepared = true;
        event('prepared', process.pid, TestRunner.getCurrentTest()?.name ?? 'in no test');
      },
      launch: async (spec, context) => {
        if (!prepared) throw new Error('it was not prepared');
        context.openConsole('serial');
        return {
          start: async () => ({ halted: Promise.resolve({ reason: 'complete', success: true }), tmkEvents: [] }),
          stop: async () => {},
          kill: async () => {},
          planes: [],
        };
      },
    };
  `,
  'events.ts': `
    import { appendFileSync } from 'node:fs';
    import { fileURLToPath } from 'node:url';
    const file = fileURLToPath(new URL('events', import.meta.url));
    export const event = (...words) => appendFileSync(file, words.join(' ') + '\\n');
  `,
  'visitors.ts': 'export const visitors = [];',
  'word.ts': "export const word = 'real';",
  'a.test.ts': untidy,
  'b.test.ts': untidy,
  'c.test.ts': mocking("vi.mock('./word.ts', () => ({ word: 'mocked' }));"),
  'd.test.ts': mocking(''),
  'own/a.test.ts': untidy.replaceAll('./', '../'),
  'own/b.test.ts': untidy.replaceAll('./', '../'),
  'unit/a.test.ts': plain,
  'unit/b.test.ts': plain,
});

const nothing = { visitors: 0, variable: '', directory: 'workers', time: 'real', stubbed: 'undefined', spied: false };

interface Run {
  readonly output: string;
  /** Entries after a word in the record. */
  readonly of: (word: string) => string[];
}

async function run(...argv: readonly string[]): Promise<Run> {
  rmSync(join(project.folder, 'events'), { force: true });
  const { output } = await project.run(ourVitest, ['run', ...argv]);
  const events = readFileSync(join(project.folder, 'events'), 'utf8').trim().split('\n');
  const of = (word: string): string[] =>
    events.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  return { output, of };
}

const processes = (lines: readonly string[]): string[] => lines.map((line) => line.split(' ')[0] ?? '');

beforeAll(() => {
  project.write();
});
afterAll(() => {
  project.remove();
});

describe('files of VM tests', () => {
  let shared: Run;
  let isolated: Run;
  beforeAll(async () => {
    shared = await run('--project=vm', '--project=unit');
    isolated = await run('--project=own');
  });

  it('share a worker, but no state', () => {
    const found = shared.of('found');
    expect(found, shared.output).toHaveLength(2);
    expect(new Set(processes(found)).size).toBe(1);
    expect(found.map((line) => JSON.parse(line.slice(line.indexOf(' '))) as unknown)).toEqual([nothing, nothing]);
    expect(shared.of('word').sort()).toEqual(['mocked', 'real']);
    expect(shared.output).toContain('10 passed');
  });

  it('share no state in another order', async () => {
    const { output, of } = await run('--project=vm', '--sequence.shuffle.files', '--sequence.seed=3');
    const found = of('found');
    expect(
      found.map((line) => JSON.parse(line.slice(line.indexOf(' '))) as unknown),
      output,
    ).toEqual([nothing, nothing]);
    expect(of('word').sort()).toEqual(['mocked', 'real']);
  });

  it('have a backend that was prepared once in the worker, outside of the time of tests', () => {
    const prepared = shared.of('prepared');
    expect(prepared, shared.output).toEqual([`${processes(shared.of('found'))[0] ?? ''} in no test`]);
  });

  it('have separate workers if the project requests it', () => {
    const found = isolated.of('found');
    expect(new Set(processes(found)).size, isolated.output).toBe(2);
    expect(processes(isolated.of('prepared')).sort()).toEqual(processes(found).sort());
  });

  it('have a time-out suitable for VMs, unless one is set', () => {
    expect(new Set(shared.of('time-out'))).toEqual(new Set(['180000']));
    expect(new Set(isolated.of('time-out'))).toEqual(new Set(['4321']));
  });

  it('use the command line’s values for both', async () => {
    const { output, of } = await run('--project=vm', '--isolate', '--testTimeout=1234');
    expect(new Set(processes(of('found'))).size, output).toBe(2);
    expect(new Set(of('time-out'))).toEqual(new Set(['1234']));
  });

  it('do not affect files of other projects', () => {
    const unit = shared.of('unit');
    expect(unit, shared.output).toHaveLength(2);
    expect(new Set(processes(unit)).size).toBe(2);
  });
});
