import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));

const testFile = (name: string): string => `
  import { petriTest, tmk } from '../../petri/index.ts';
  petriTest('cca', '${name}', { payload: tmk('hello'), timeout: 1000 }, async ({ vm, task }) => {
    console.log('ran in', process.pid, 'after', (globalThis.machines ??= []).push('${name}'), 'with', task.timeout);
    await vm.halted;
  });
`;

/** A user's project with a backend whose machines take an hour to boot. */
const files = {
  'vitest.config.ts': `
    import { load } from '../../bin/load.mjs';
    const { definePetriConfig } = await load('petri/vitest/config');
    export default definePetriConfig({
      backends: { slow: () => import('./slow.ts') },
      backend: 'slow',
      test: { include: ['*.test.ts'], testTimeout: 2000 },
    });
  `,
  'slow.ts': `
    import { writeFileSync } from 'node:fs';
    const pace = { boot: 3_600_000, factor: 2, parallel: 1 };
    const limits = { minMemory: 2 ** 28, maxMemory: 2 ** 40, maxVcpus: 1, maxPlanes: 1 };
    const complete = { reason: 'complete', success: true };
    export const backend = {
      name: 'slow',
      description: 'a backend that takes its time',
      probe: async () => ({ available: true, isolation: { cca: ['tmk'] }, limits, pace, facts: {} }),
      close: async () => writeFileSync('closed', String(process.pid)),
      refuses: (spec) => (spec.config.ipaWidth === 40 ? 'its VMM chooses the IPA width' : undefined),
      launch: async (spec, context) => {
        context.openConsole('serial');
        const halted = spec.payload.name === 'loop'
          ? new Promise((resolve) => context.signal.addEventListener('abort', () => resolve({ reason: 'stopped' })))
          : Promise.resolve(complete);
        return {
          start: async () => ({ halted, tmkEvents: [] }),
          stop: async () => {},
          kill: async () => {},
          planes: [],
          facts: { firmware: 'of a ' + spec.machine + ' machine' },
        };
      },
    };
  `,
  'a.test.ts': testFile('a'),
  'b.test.ts': testFile('b'),
  'c.test.ts': `
    import { readFileSync } from 'node:fs';
    import { petriTest, tmk } from '../../petri/index.ts';
    petriTest('cca', 'default', { payload: tmk('hello') }, ({ task }) => console.log('default is', task.timeout));
    petriTest('cca', 'small', { payload: tmk('hello'), memory: '8M' }, () => {});
    petriTest('cca', 'wide', { payload: tmk('hello'), ipaWidth: 40 }, () => {});
    petriTest('cca', 'hangs', { payload: tmk('loop'), test: 'spin', timeout: 100 }, async ({ vm }) => {
      console.log('ended with', (await vm.halted).message);
    });
    petriTest('cca', 'fresh', { payload: tmk('hello'), machine: 'fresh' }, async ({ vm }) => {
      await vm.halted;
      await vm.dispose();
      console.log('recorded', JSON.parse(readFileSync(vm.directory + '/vm.json', 'utf8')).facts.firmware);
    });
  `,
};

let project: string;
let output: string;

beforeAll(async () => {
  // In the repository, where vitest is found.
  mkdirSync(join(repository, '.petri'), { recursive: true });
  project = mkdtempSync(join(repository, '.petri', 'pace-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  const { PETRI_BACKEND: _backend, PETRI_ISOLATION: _isolation, VITEST: _vitest, ...env } = process.env;
  output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [join(repository, 'bin', 'vitest.mjs'), 'run'],
      { cwd: project, env: { ...env, CI: '1' } },
      (_error, out, err) => resolve(stripVTControlCharacters(out + err)),
    );
  });
});

afterAll(() => {
  rmSync(project, { recursive: true });
});

describe('a backend whose machines take long to boot', () => {
  it('runs all test files in one process, so that they can share machines', () => {
    const runs = [...output.matchAll(/ran in (\d+) after (\d) with/g)];
    expect(runs, output).toHaveLength(2);
    expect(new Set(runs.map(([, pid]) => pid)).size).toBe(1);
    expect(runs.map(([, , count]) => count)).toEqual(['1', '2']);
  });

  it('extends the time-outs of tests accordingly', () => {
    expect(output).toContain(`with ${3_600_000 + 2 * 1000}`);
    expect(output).toContain(`default is ${3_600_000 + 2 * 2000}`);
  });

  it('ends a payload that hangs long before that time', () => {
    expect(output).toContain('ended with its payload had to end within 0.2 s');
  });

  it('skips what it cannot make, with the reason', () => {
    expect(output).toContain("1 × the test makes a VM of 8 MiB, backend 'slow' needs at least 256 MiB");
    expect(output).toContain('1 × its VMM chooses the IPA width');
    expect(output).toContain('5 passed | 2 skipped');
  });

  it('is closed at the end of the process that used it', () => {
    expect(readFileSync(join(project, 'closed'), 'utf8')).toBe(/ran in (\d+)/.exec(output)?.[1]);
  });

  it('records the facts about a VM', () => {
    expect(output).toContain('recorded of a fresh machine');
  });
});
