import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ourVitest, petri, stockVitest, UserProject } from './testing/user-project.ts';

const backendFile = (name: string): string => `
  const limits = { maxMemory: 2 ** 40, maxVcpus: 1, maxPlanes: 1 };
  export const backend = {
    name: '${name}',
    description: 'backend ${name} of this test',
    probe: async () => ({ available: true, isolation: { cca: ['tmk'], none: ['tmk'] }, limits, facts: {} }),
    launch: async () => { throw new Error('nothing is launched here'); },
  };
`;

const project = new UserProject('merge', {
  'vitest.config.ts': `
    import { load } from '../../bin/load.mjs';
    const { definePetriConfig } = await load('petri/vitest/config');
    export default definePetriConfig({
      backends: { one: () => import('./one.ts'), two: () => import('./two.ts') },
      backend: 'one',
      test: { include: ['*.test.ts'] },
    });
  `,
  'one.ts': backendFile('one'),
  'two.ts': backendFile('two'),
  'a.test.ts': `
    import { describe } from 'vitest';
    import { petriTest } from '../../petri/index.ts';
    petriTest('cca', 'fails on one', ({ backend }) => { if (backend === 'one') throw new Error('cca is broken on one'); });
    describe('suite', () => {
      petriTest('none', 'fails on two', ({ backend }) => { if (backend === 'two') throw new Error('none is broken on two'); });
    });
    petriTest('none', 'passes', () => {});
  `,
  'b.test.ts': `
    import { petriTest } from '../../petri/index.ts';
    petriTest('cca', 'in another file', () => {});
  `,
});

beforeAll(() => {
  project.write();
});

afterAll(() => {
  project.remove();
});

/** The commands of docs/ci.md: one blob per job. */
async function blob(name: string, entry: string, argv: readonly string[]): Promise<void> {
  const command = entry === petri ? 'test' : 'run';
  const own = [command, '--reporter=blob', `--outputFile.blob=${name}`, ...argv];
  const { output } = await project.run(entry, own);
  expect(existsSync(join(project.folder, name)), output).toBe(true);
}

function merged(folder: string, reporter: string): Promise<{ code: number | null; output: string; stdout: string }> {
  return project.run(stockVitest, [`--merge-reports=${folder}`, `--reporter=${reporter}`]);
}

describe('merged blobs', () => {
  it('of several backends and isolation types have every result, with distinct names', async () => {
    await blob('all/one-cca.json', petri, ['--backend=one', '--isolation=cca']);
    await blob('all/one-none.json', petri, ['--backend=one', '--isolation=none']);
    await blob('all/two-1.json', ourVitest, ['--backend=two', '--shard=1/2']);
    await blob('all/two-2.json', ourVitest, ['--backend=two', '--shard=2/2']);

    const junit = await merged('all', 'junit');
    expect(junit.code).toBe(1);
    expect(junit.stdout).toMatch(/<testsuites [^>]*failures="2"/);
    const cases = [...junit.stdout.matchAll(/<testcase [^>]*name="([^"]*)"[^>]*>(\s*<failure message="([^"]*)")?/g)];
    expect(
      cases.map(([, name, , failure]) => `${name ?? ''}${failure === undefined ? '' : `: ${failure}`}`).sort(),
    ).toEqual([
      'one:cca &gt; fails on one: cca is broken on one',
      'one:cca &gt; in another file',
      'one:cca &gt; passes',
      'one:cca &gt; suite &gt; fails on two',
      'one:none &gt; fails on one',
      'one:none &gt; in another file',
      'one:none &gt; passes',
      'one:none &gt; suite &gt; fails on two',
      'two &gt; fails on one',
      'two &gt; in another file',
      'two &gt; passes',
      'two &gt; suite &gt; fails on two: none is broken on two',
    ]);

    const json = await merged('all', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      success: false,
      numFailedTests: 2,
      numPassedTests: 6,
      numTotalTests: 12,
    });
    const human = await merged('all', 'default');
    expect(human.output).toMatch(/FAIL +one:cca +a\.test\.ts > one:cca > fails on one/);
    expect(human.output).toMatch(/FAIL +two +a\.test\.ts > two > suite > fails on two/);
    expect(human.output).toContain('a.test.ts:4:');
  });

  it('are rejected if one would replace another', async () => {
    await blob('twice/first.json', petri, []);
    await blob('twice/second.json', petri, ['-t', 'passes']);
    const { code, output, stdout } = await merged('twice', 'junit');
    expect(output).toContain('first.json and second.json both have results of a.test.ts of one; one would be lost');
    expect(output).not.toMatch(/^\s+at /m);
    expect(stdout).not.toContain('<testsuites');
    expect(code).toBe(1);
  });

  it('of shards fail if no shard ran anything', async () => {
    for (const index of ['1', '2']) {
      await blob(`empty/${index}.json`, petri, ['--isolation=snp', `--shard=${index}/2`]);
    }
    const { code, output } = await merged('empty', 'default');
    expect(output).toContain('petri: no test is left by ');
    expect(code).toBe(1);
  });
});

describe('the guide to CI', () => {
  it('shows the commands that are tested here', () => {
    const guide = readFileSync(new URL('../../docs/ci.md', import.meta.url), 'utf8');
    expect(guide).toMatch(/petri test --reporter=blob --outputFile\.blob=/);
    expect(guide).toMatch(/vitest --merge-reports=\S+ --reporter=junit/);
  });
});
