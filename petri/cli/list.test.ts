import { join } from 'node:path';
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ourVitest, petri, UserProject } from '../vitest/testing/user-project.ts';

const reporter = `
  import { writeFileSync } from 'node:fs';
  export default class {
    onTestRunEnd(modules) {
      const tests = modules.flatMap((module) => [...module.children.allTests()].map((test) => {
        const { state, note } = test.result();
        return { key: [module.project.name, module.relativeModuleId, test.fullName].join(' | '), state, note };
      }));
      writeFileSync(process.env.TEST_REPORT, JSON.stringify(tests));
    }
  }
`;

/** Every way in which options, files and backends decide whether a test runs. */
const project = new UserProject('list', {
  'vitest.config.ts': `
    import { defineConfig } from 'vitest/config';
    import { load } from '../../bin/load.mjs';
    const { definePetriConfig } = await load('petri/vitest/config');
    const backends = { small: () => import('./small.ts') };
    export default defineConfig({
      test: {
        projects: [
          definePetriConfig({ backends, test: { name: 'all', include: ['*.test.ts'], allowOnly: true } }),
          definePetriConfig({ test: { name: 'again', include: ['b.test.ts'] } }),
        ],
      },
    });
  `,
  'small.ts': `
    const limits = { minMemory: 2 ** 24, maxMemory: 2 ** 29, maxVcpus: 2, maxPlanes: 1 };
    const lacking = { tdx: [{ what: 'no TDX module', remedy: '' }] };
    const complete = Promise.resolve({ reason: 'complete', success: true });
    export const backend = {
      name: 'small by another name',
      description: 'makes some VMs and refuses others',
      probe: async () => ({ available: true, isolation: { cca: ['tmk', 'reset'], none: ['tmk'] }, lacking, limits, facts: {} }),
      refuses: ({ config, payload, machine }) =>
        config.ipaWidth === 40 ? 'no 40 bits' : payload.name === 'exits' && machine === 'fresh' ? 'no fresh exits' : undefined,
      launch: async (spec, context) => {
        context.openConsole('serial');
        return {
          start: async () => ({ halted: complete, tmkEvents: [] }), stop: async () => {}, kill: async () => {}, planes: [],
        };
      },
    };
  `,
  'a.test.ts': `
    import { describe } from 'vitest';
    import { linux, petriTest, tmk } from '../../petri/index.ts';
    const hello = { payload: tmk('hello') };
    const nothing = () => {};
    for (const type of ['none', 'cca', 'tdx', 'snp']) petriTest(type, 'of type ' + type, hello, nothing);
    petriTest('cca', 'little memory', { ...hello, memory: '8M' }, nothing);
    petriTest('cca', 'much memory', { ...hello, memory: '1G' }, nothing);
    petriTest('cca', 'many vCPUs', { ...hello, vcpus: 3 }, nothing);
    petriTest('cca', 'many planes', { ...hello, planes: 2 }, nothing);
    petriTest('cca', 'refused', { ...hello, ipaWidth: 40 }, nothing);
    petriTest('cca', 'refused for its payload', { payload: () => tmk('exits'), machine: 'fresh' }, nothing);
    petriTest('cca', 'not refused', { payload: tmk('exits') }, nothing);
    petriTest('none', 'requires what is missing', { ...hello, requires: ['reset'] }, nothing);
    petriTest('cca', 'requires what is there', { ...hello, requires: ['reset'] }, nothing);
    petriTest('none', 'has another kind of payload', { payload: () => linux({ kernel: '/nowhere' }) }, nothing);
    petriTest('cca', 'has no payload', { memory: '1G' }, nothing);
    petriTest('cca', 'cannot make its payload', { payload: () => { throw new Error('no compiler'); } }, nothing);
    petriTest.for(['64M', '1G'])('cca', 'row of %s', (memory) => ({ ...hello, memory }), nothing);
    petriTest.skip('cca', 'skipped in the file', hello, nothing);
    describe.skip('skipped suite', () => petriTest('cca', 'inside', hello, nothing));
    for (const type of ['cca', 'none']) {
      const [first] = tmk('hello').image.tests;
      const image = { ...tmk('hello').image, tests: [first, { ...first, name: 'for Linux', linuxOnly: true }] };
      petriTest.tmk(type, { ...tmk('hello'), name: 'suite of ' + type, image });
    }
  `,
  'b.test.ts': `
    import { petriTest, tmk } from '../../petri/index.ts';
    petriTest('none', 'plain', { payload: tmk('hello') }, () => {});
    petriTest('cca', 'confidential', { payload: tmk('hello') }, () => {});
  `,
  'only.test.ts': `
    import { petriTest, tmk } from '../../petri/index.ts';
    petriTest('none', 'beside', { payload: tmk('hello') }, () => {});
    petriTest.only('none', 'only', { payload: tmk('hello') }, () => {});
  `,
  'reporter.mjs': reporter,
});

beforeAll(() => {
  project.write();
});

afterAll(() => {
  project.remove();
});

interface Listed {
  readonly project: string;
  readonly file: string;
  readonly name: string;
  readonly skippedOn: Readonly<Record<string, string | null>>;
}

/** By test, why it is skipped according to the listing, or null. */
async function listed(argv: string[], environment: Record<string, string> = {}): Promise<Map<string, string | null>> {
  const { stdout, output, code } = await project.run(
    petri,
    ['list', '--json', '--backend=small', ...argv],
    environment,
  );
  expect(code, output).toBe(0);
  const { tests } = JSON.parse(stdout) as { readonly tests: readonly Listed[] };
  const key = (test: Listed): string => [test.project, test.file, test.name].join(' | ');
  return new Map(tests.map((test) => [key(test), test.skippedOn['small'] ?? null]));
}

interface Ran {
  readonly key: string;
  readonly state: string;
  readonly note?: string;
}

async function ran(argv: string[], environment: Record<string, string> = {}): Promise<readonly Ran[]> {
  const report = join(project.folder, 'report.json');
  const own = ['run', '--backend=small', '--reporter=./reporter.mjs', '--allowOnly', ...argv];
  await project.run(ourVitest, own, { TEST_REPORT: report, ...environment });
  return JSON.parse(readFileSync(report, 'utf8')) as readonly Ran[];
}

describe('petri list', () => {
  it('reports for each test whether a run would run it', async () => {
    const listing = await listed([]);
    const results = await ran([]);
    expect([...listing.keys()].sort()).toEqual(results.map(({ key }) => key).sort());
    const differing = results.filter(({ key, state, note }) => {
      const reason = listing.get(key);
      if (reason === null) return state !== 'passed' && state !== 'failed';
      return state !== 'skipped' || (note ?? 'skipped in the test file') !== reason;
    });
    expect(differing).toEqual([]);
    expect([...listing.values()].filter((reason) => reason === null)).toHaveLength(16);
  });

  it.each<[string, string[], Record<string, string>]>([
    ['--isolation', ['--isolation=cca'], {}],
    ['PETRI_ISOLATION', [], { PETRI_ISOLATION: 'cca' }],
  ])('knows which tests a run excludes for %s', async (_name, argv, environment) => {
    const listing = await listed([...argv, 'b.test.ts'], environment);
    const runs = (await ran([...argv, 'b.test.ts'], environment)).filter(({ state }) => state === 'passed');
    expect(runs.map(({ key }) => key).sort()).toEqual(
      ['again', 'all'].map((name) => `${name} | b.test.ts | confidential`),
    );
    expect(
      [...listing]
        .filter(([, reason]) => reason === null)
        .map(([key]) => key)
        .sort(),
    ).toEqual(runs.map(({ key }) => key).sort());
    expect(listing.get('all | b.test.ts | plain')).toBe("isolation type 'none' is not selected: --isolation=cca");
  });
});
