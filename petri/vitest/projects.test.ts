import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ourVitest, type Outcome, UserProject } from './testing/user-project.ts';

/** A backend that makes VMs of one isolation type, which halt at once. */
const backendFile = (name: string, isolation: string, pace: string): string => `
  const limits = { maxMemory: 2 ** 40, maxVcpus: 1, maxPlanes: 1 };
  export const backend = {
    name: '${name}',
    description: 'backend ${name} of this test',
    probe: async () => {
      console.error('probed ${name}');
      return { available: true, isolation: { ${isolation}: ['tmk'] }, limits, facts: {} ${pace} };
    },
    launch: async (spec, context) => {
      context.openConsole('serial');
      return {
        start: async () => ({ halted: Promise.resolve({ reason: 'complete', success: true }), tmkEvents: [] }),
        stop: async () => {},
        kill: async () => {},
        planes: [],
      };
    },
  };
`;

const project = new UserProject('projects', {
  'vitest.config.ts': `
    import { defineConfig } from 'vitest/config';
    import { load } from '../../bin/load.mjs';
    const { definePetriConfig } = await load('petri/vitest/config');
    const backends = { realms: () => import('./realms.ts'), plain: () => import('./plain.ts') };
    const include = ['*.test.ts'];
    export default defineConfig({
      test: {
        maxWorkers: 2,
        projects: [
          definePetriConfig({ backends, backend: 'realms', test: { name: 'a', include } }),
          definePetriConfig({ backend: 'plain', test: { name: 'b', include } }),
          definePetriConfig({ backend: 'realms', isolation: ['none'], test: { name: 'c', include } }),
        ],
      },
    });
  `,
  'extended.config.ts': `
    import { load } from '../../bin/load.mjs';
    const { definePetriConfig } = await load('petri/vitest/config');
    export default definePetriConfig({
      backends: { realms: () => import('./realms.ts'), plain: () => import('./plain.ts') },
      backend: 'plain',
      test: {
        include: ['*.test.ts'],
        projects: [
          { extends: true, test: { name: 'a' } },
          { extends: true, ...definePetriConfig({ backend: 'realms', test: { name: 'b' } }) },
        ],
      },
    });
  `,
  'realms.ts': backendFile('realms', 'cca', ', pace: { boot: 3_600_000, factor: 2, parallel: 1 }'),
  'plain.ts': backendFile('plain', 'none', ''),
  'a.test.ts': `
    import { inject } from 'vitest';
    import { petriTest, tmk } from '../../petri/index.ts';
    for (const type of ['cca', 'none']) {
      petriTest(type, 'of type ' + type, { payload: tmk('hello') }, async ({ vm, backend, task }) => {
        await vm.halted;
        const { projectName } = task.file;
        console.log('ran', projectName, type, backend, task.timeout, 'in', vm.directory.split('/.petri/runs/')[1]);
      });
    }
  `,
});

beforeAll(() => {
  project.write();
});

afterAll(() => {
  project.remove();
});

/** Output of the tests that ran: their project, isolation type, backend and time-out. */
function ran({ output }: Outcome): string[] {
  return [...output.matchAll(/^ran (.*) in /gm)].map(([, what = '']) => what).sort();
}

describe('projects of one vitest on several backends', () => {
  it('each have their own backend, isolation types, time-outs, summary and records', async () => {
    const outcome = await project.run(ourVitest, ['run', '--passWithNoTests']);
    const { output, code } = outcome;
    expect(ran(outcome), output).toEqual(['a cca realms 3630000', 'b none plain 15000']);
    expect(output).toMatch(
      /Backend {2}realms \(backend realms of this test\)\n +Project {2}a, c\n +none {2}2 skipped\n +cca {2}1 passed/,
    );
    expect(output).toMatch(/Backend {2}plain \(backend plain of this test\)\n +Project {2}b\n/);
    expect(output).toContain("backend 'realms' does not make VMs of isolation type 'none': it makes 'cca'");
    expect(output).toContain("backend 'plain' does not make VMs of isolation type 'cca': it makes 'none'");
    expect(output.match(/probed realms/g)).toHaveLength(1);
    expect(code).toBe(0);

    const folders = [...output.matchAll(/ in (\S+\/(a|b)\/a\.test\.ts\/of-type-\w+)$/gm)].map(([, path]) => path);
    expect(folders).toHaveLength(2);
    for (const folder of folders) expect(existsSync(join(project.folder, '.petri/runs', String(folder)))).toBe(true);
    const runs = readdirSync(join(project.folder, '.petri/runs')).filter((name) => name !== 'latest');
    expect(runs).toHaveLength(1);
  });

  it('run one that is chosen with --project on the backend of the command line', async () => {
    const outcome = await project.run(ourVitest, ['run', '--project=a', '--backend=plain']);
    expect(ran(outcome), outcome.output).toEqual(['a none plain 15000']);
    expect(outcome.code).toBe(0);
  });

  it.each([
    ['--backend', ['--backend=plain'], {}, /--backend=plain is for all projects[^]*a +realms\n +b +plain\n/],
    ['PETRI_BACKEND', [], { PETRI_BACKEND: 'realms' }, /--backend=realms is for all projects[^]*PETRI_BACKEND/],
    [
      '--isolation',
      ['--isolation=cca'],
      {},
      /--isolation=cca is for all projects[^]*a +all isolation types\n[^]*c +none\n/,
    ],
  ])('cannot be merged into one by %s', async (_name, argv, environment, message) => {
    const { output, code } = await project.run(ourVitest, ['run', ...argv], environment);
    expect(output).toMatch(message);
    expect(output).toContain('--project=NAME');
    expect(output).not.toMatch(/^ran /m);
    expect(code).toBe(1);
  });

  it('may differ from the configuration that they extend', async () => {
    const outcome = await project.run(ourVitest, ['run', '--config=extended.config.ts']);
    expect(ran(outcome), outcome.output).toEqual(['a none plain 15000', 'b cca realms 3630000']);
    expect(outcome.code).toBe(0);
  });
});
