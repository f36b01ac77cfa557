import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { IsolationType } from '../contract/index.ts';
import type { Outcome } from '../report/index.ts';
import { emptyRuns, strictComplaints } from './run-check.ts';
import { ourVitest, petri, stockVitest, UserProject } from './testing/user-project.ts';

function outcome(isolation: IsolationType | undefined, kind: Outcome['kind'], more: Partial<Outcome> = {}): Outcome {
  return { isolation, kind, reason: undefined, cause: kind === 'skipped' ? 'backend' : undefined, ...more };
}

const none = { isolation: [], others: [] };

describe('a run that ran nothing', () => {
  it('is one whose backend skipped every VM test, with the reasons', () => {
    const skipped = [
      outcome('cca', 'skipped', { reason: 'no cca' }),
      outcome('cca', 'skipped', { reason: 'no cca' }),
      outcome('none', 'skipped', { cause: 'itself' }),
    ];
    const tests = [...skipped, outcome('snp', 'left out'), outcome(undefined, 'passed')];
    expect(emptyRuns([{ backend: 'mine', tests }], none)).toEqual([
      "no VM test ran on backend 'mine': all 3 were skipped\n  2 × no cca\n  1 × without a reason",
    ]);
  });

  it('is reported for one of several backends', () => {
    const groups = [
      { backend: 'full', tests: [outcome('cca', 'passed')] },
      { backend: 'empty', tests: [outcome('cca', 'skipped')] },
    ];
    expect(emptyRuns(groups, none)).toEqual([expect.stringContaining("'empty'")]);
  });

  it.each(['passed', 'failed', 'not run'] as const)('is not one in which a test has %s', (kind) => {
    const tests = [outcome('cca', 'skipped'), outcome('cca', kind)];
    expect(emptyRuns([{ backend: 'mine', tests }], none)).toEqual([]);
  });

  it('is not one in which a test has failed as announced', () => {
    expect(emptyRuns([{ backend: 'mine', tests: [outcome('cca', 'skipped', { cause: 'unstable' })] }], none)).toEqual(
      [],
    );
  });

  it('is one in which filters left no test', () => {
    const tests = [outcome('cca', 'left out'), outcome('none', 'left out'), outcome(undefined, 'left out')];
    const groups = [{ backend: 'mine', tests }];
    const filters = { isolation: ['snp' as const], others: ["--tags-filter='needs/planes'"] };
    expect(emptyRuns(groups, filters)).toEqual([
      "no test is left by --isolation=snp and --tags-filter='needs/planes': the VM tests are of none, cca",
    ]);
    expect(emptyRuns(groups, { ...none, others: filters.others })).toHaveLength(1);
    expect(emptyRuns([{ backend: 'mine', tests: [outcome(undefined, 'left out')] }], filters)).toEqual([
      expect.stringMatching(/there are no VM tests$/),
    ]);
  });

  it('is not one in which filters left other tests', () => {
    const groups = [{ backend: 'mine', tests: [outcome('cca', 'left out')] }];
    const filters = { ...none, others: ['--testNamePattern=x'] };
    expect(emptyRuns(groups, filters, [outcome(undefined, 'passed')])).toEqual([]);
    expect(emptyRuns([{ backend: 'mine', tests: [outcome(undefined, 'left out')] }], filters)).toEqual([]);
  });

  it('is not one whose test files exclude their tests', () => {
    expect(emptyRuns([{ backend: 'mine', tests: [outcome('cca', 'left out')] }], none)).toEqual([]);
  });
});

describe('strict skips', () => {
  it('fail for VM tests skipped because of the host or by themselves', () => {
    const tests = [
      outcome('cca', 'passed'),
      outcome('cca', 'skipped', { cause: 'host', reason: 'no RME' }),
      outcome('cca', 'skipped', { cause: 'itself', reason: 'no compiler' }),
      outcome('cca', 'skipped', { cause: 'backend' }),
      outcome('cca', 'skipped', { cause: 'unselected' }),
      outcome('cca', 'skipped', { cause: 'unstable' }),
      outcome('cca', 'left out'),
      outcome(undefined, 'skipped', { cause: 'itself' }),
    ];
    expect(strictComplaints({ backend: 'mine', tests })).toEqual([
      "2 tests were skipped that should run on backend 'mine' (strictSkips)\n  1 × no compiler\n  1 × no RME",
    ]);
    expect(strictComplaints({ backend: 'mine', tests: tests.slice(3) })).toEqual([]);
  });
});

const project = new UserProject('run-check', {
  'vitest.config.ts': `
    import { load } from '../../bin/load.mjs';
    const { definePetriConfig } = await load('petri/vitest/config');
    export default definePetriConfig({
      backends: { mine: () => import('./mine.ts'), other: () => import('./other.ts') },
      backend: 'mine',
      test: { include: ['*.test.ts'], maxWorkers: 1 },
    });
  `,
  'mine.ts': `
    const limits = { maxMemory: 2 ** 40, maxVcpus: 1, maxPlanes: 1 };
    const lacking = { tdx: [{ what: 'no TDX module', remedy: '' }] };
    export const backend = {
      name: 'mine',
      description: 'the backend of this test',
      probe: async () => ({ available: true, isolation: { cca: ['tmk'] }, lacking, limits, facts: {} }),
      launch: async () => { throw new Error('nothing is launched here'); },
    };
  `,
  'other.ts': `
    import { backend as mine } from './mine.ts';
    const limits = { maxMemory: 2 ** 40, maxVcpus: 1, maxPlanes: 1 };
    const probe = { available: true, isolation: { vbs: [] }, limits, facts: {} };
    export const backend = { ...mine, name: 'other', probe: async () => probe };
  `,
  'a.test.ts': `
    import { beforeAll, describe } from 'vitest';
    import { petriTest } from '../../petri/index.ts';
    petriTest('cca', 'runs', () => {});
    petriTest('none', 'is not for this backend', () => {});
    petriTest('cca', 'skips itself', ({ skip }) => skip());
    describe('with a hook that fails', () => {
      beforeAll(() => { if (process.env.TEST_FAILS) throw new Error('as it was told to'); });
      petriTest('cca', 'never runs then', () => {});
      petriTest.skip('cca', 'is not to run', () => {});
    });
    petriTest('cca', 'fails when told to', () => { if (process.env.TEST_FAILS) throw new Error('as it was told to'); });
    petriTest('cca', 'comes after a failure', () => {});
    petriTest('cca', 'comes even later', () => {});
  `,
  'b.test.ts': `
    import { petriTest } from '../../petri/index.ts';
    petriTest('tdx', 'lacks something here', () => {});
  `,
});

describe('vitest with our configuration', () => {
  beforeAll(() => {
    project.write();
  });
  afterAll(() => {
    project.remove();
  });

  it.each([
    ['petri test', petri, ['test', '--isolation=snp'], {}],
    ['an option behind -- of stock vitest', stockVitest, ['run', '--', '--isolation=snp'], {}],
    [
      'the environment, with a reporter for machines',
      stockVitest,
      ['run', '--reporter=json'],
      { PETRI_ISOLATION: 'snp' },
    ],
  ])('fails if no test has the isolation types of %s', async (_name, entry, argv, environment) => {
    const { code, output } = await project.run(entry, argv, environment);
    expect(output).toContain('petri: no test is left by --isolation=snp: the VM tests are of none, tdx, cca\n');
    expect(code).toBe(1);
  });

  it('fails if a tags filter with --isolation leaves no test', async () => {
    const argv = ['run', '--isolation=cca', '--tags-filter=needs/planes'];
    const { code, output } = await project.run(ourVitest, argv);
    expect(output).toContain("petri: no test is left by --isolation=cca and --tags-filter='needs/planes': ");
    expect(code).toBe(1);
  });

  it('fails if the backend skips everything, unless that is permitted', async () => {
    const failed = await project.run(ourVitest, ['run', '--backend=other']);
    expect(failed.output).toContain(
      "petri: no VM test ran on backend 'other': all 8 were skipped\n  6 × backend 'other'",
    );
    expect(failed.code).toBe(1);
    const passed = await project.run(ourVitest, ['run', '--backend=other', '--passWithNoTests']);
    expect(passed.output).not.toContain('petri: ');
    expect(passed.code).toBe(0);
  });

  it('does not fail for a shard, since other shards may run tests', async () => {
    for (const index of ['1', '2']) {
      const { code, output } = await project.run(ourVitest, ['run', `--shard=${index}/2`]);
      expect(output).not.toContain('petri: ');
      expect(code).toBe(0);
    }
  });

  it('fails for skips of tests that should run, on request', async () => {
    const { code, output } = await project.run(petri, ['test', '--strict-skips']);
    expect(output).toContain("petri: 2 tests were skipped that should run on backend 'mine' (strictSkips)\n");
    expect(output).toContain("1 × backend 'mine' does not make VMs of isolation type 'tdx' here: no TDX module");
    expect(output).toContain('1 × without a reason');
    expect(code).toBe(1);
    expect((await project.run(petri, ['test'])).code).toBe(0);
  });

  it('counts tests that were not reached', async () => {
    const failing = { TEST_FAILS: '1' };
    const whole = await project.run(ourVitest, ['run', '--sequence.shuffle=false'], failing);
    expect(whole.output).toMatch(/cca {2}1 failed \| 3 passed \| 1 skipped \| 1 not run/);
    const bailed = await project.run(ourVitest, ['run', '--bail=1', '-t', 'runs$|fails|comes'], failing);
    expect(bailed.output).toMatch(/cca {2}1 failed \| 1 passed \| 3 not run\n +Not run {2}1 test file, whose/);
    expect(bailed.code).toBe(1);
  });
});
