import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ourVitest as ours, stockVitest as stock, UserProject } from './testing/user-project.ts';

/** A user's project: two backends of its own, one test that prints what it sees, and one per isolation type. */
const project = new UserProject('command-line', {
  'vitest.config.ts': `
    import { load } from '../../bin/load.mjs';
    const { definePetriConfig } = await load('petri/vitest/config');
    export default definePetriConfig({
      backends: { mine: () => import('./mine.ts'), elsewhere: () => import('./elsewhere.ts') },
      backend: process.env.TEST_CONFIGURED_BACKEND,
      test: {
        projects: [
          { extends: true, test: { name: 'vm', include: ['*.test.ts'] } },
          { extends: true, test: { name: 'empty', include: ['*.nothing.ts'] } },
        ],
      },
    });
  `,
  'other.config.ts': `
    import { defineConfig } from 'vitest/config';
    export default defineConfig({ test: { include: ['nothing.test.ts'], passWithNoTests: true } });
  `,
  'mine.ts': `
    const probe = { available: true, isolation: { cca: [] }, limits: { maxMemory: 1, maxVcpus: 1, maxPlanes: 1 }, facts: {} };
    export const backend = {
      name: 'mine', description: 'the backend of this test', async probe() { return probe; }, async launch() { throw new Error(); },
    };
  `,
  'elsewhere.ts': `
    import { backend as mine } from './mine.ts';
    const missing = [{ what: 'a board on the desk', remedy: 'buy one' }];
    export default { ...mine, name: 'elsewhere', async probe() { return { available: false, missing }; } };
  `,
  'plain.test.ts': `
    import { it } from 'vitest';
    import { runDirectory, selectedBackend, selectedIsolation } from '../../petri/vitest/selection.ts';
    it('cca', { tags: ['isolation/cca'] }, async () => {
      const { backend } = await selectedBackend();
      console.log('ran on', backend.name, 'isolation', JSON.stringify(selectedIsolation()), runDirectory());
    });
    it('none', { tags: ['isolation/none'] }, ({ skip }) => skip('mine makes no plain VMs'));
    it('untagged', () => {});
  `,
});

beforeAll(() => {
  project.write();
});

afterAll(() => {
  project.remove();
});

describe('vitest with --backend and --isolation', () => {
  it('runs on a backend of the configuration, and reports that at the end', async () => {
    const { code, output } = await project.run(ours, ['run', '--backend=mine']);
    expect(output).toMatch(/ran on mine isolation \[\] .*\.petri\/runs\/\d{4}-/);
    expect(output.match(/Backend {2}mine \(the backend of this test\)/g)).toHaveLength(1);
    expect(output).toMatch(/cca {2}1 passed/);
    expect(output).toMatch(/none {2}1 skipped/);
    expect(output).toMatch(/Skipped {2}1 × mine makes no plain VMs/);
    expect(code).toBe(0);
  });

  it('runs only tests of the requested isolation types', async () => {
    const { code, output } = await project.run(ours, ['run', '--backend', 'mine', '--isolation=cca,vbs']);
    expect(output).toContain('ran on mine isolation ["vbs","cca"]');
    expect(output).toMatch(/Tests {2}1 passed \| 2 skipped/);
    expect(output).not.toContain('no plain VMs');
    expect(code).toBe(0);
  });

  it.each([
    ['an option behind -- of stock vitest', stock, ['run', '--', '--backend=mine'], { PETRI_BACKEND: 'fvp' }],
    ['the environment', stock, ['run'], { PETRI_BACKEND: 'mine', TEST_CONFIGURED_BACKEND: 'fvp' }],
    ['the configuration', stock, ['run'], { TEST_CONFIGURED_BACKEND: 'mine' }],
    ['the option over all of them', ours, ['run', '--backend=mine', '--', '--backend=fvp'], { PETRI_BACKEND: 'qemu' }],
  ])('takes the backend from %s', async (_name, entry, argv, environment) => {
    const { code, output } = await project.run(entry, argv, environment);
    expect(output).toContain('ran on mine');
    expect(code).toBe(0);
  });

  it('keeps the output of a machine-readable reporter clean', async () => {
    const { output } = await project.run(ours, ['run', '--backend=mine', '--reporter=json', '--silent']);
    expect(JSON.parse(output)).toMatchObject({ numPassedTests: 2, numPendingTests: 1 });
  });

  it.each([
    [
      'an unknown backend',
      ['--backend=nosuch'],
      /no backend 'nosuch'[\s\S]*mine[\s\S]*elsewhere[\s\S]*sim[\s\S]*fvp[\s\S]*qemu[\s\S]*hardware/,
    ],
    [
      'a built-in backend that needs something',
      ['--backend=fvp'],
      /'fvp' cannot run here[\s\S]*petri cca install[\s\S]*--backend=mine/,
    ],
    [
      'a backend that cannot run here',
      ['--backend=elsewhere'],
      /'elsewhere' cannot run here[\s\S]*a board on the desk[\s\S]*buy one[\s\S]*--backend=mine/,
    ],
    ['an unknown isolation type', ['--isolation=sgx'], /no isolation type 'sgx'[\s\S]*none, vbs, snp, tdx, cca/],
    ['a missing value', ['--backend'], /--backend needs a value/],
  ])('fails at once, without a stack, for %s', async (_name, argv, message) => {
    const { code, output } = await project.run(ours, ['run', ...argv]);
    expect(output).toMatch(message);
    expect(output).not.toMatch(/^\s+at /m);
    expect(output).not.toContain('ran on');
    expect(code).toBeGreaterThan(0);
  });

  it('shows its options in the help, after those of vitest', async () => {
    const { code, output } = await project.run(ours, ['run', '--help']);
    expect(output).toMatch(/--shard[\s\S]*--backend <name>[\s\S]*--isolation <types>/);
    expect(code).toBe(0);
  });

  it('does not let a project ignore the options', async () => {
    const { code, output } = await project.run(ours, ['run', '--backend=mine', '--config=other.config.ts']);
    expect(output).toContain('ignores the options of petri');
    expect(code).toBe(2);
  });
});
