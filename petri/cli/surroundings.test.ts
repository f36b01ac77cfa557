import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { optionalTool } from '../unit-test/optional-tool.ts';
import { petri, type Outcome, UserProject } from '../vitest/testing/user-project.ts';

const hello = `
  import { petriTest, tmk } from '../../petri/index.ts';
  petriTest('none', 'says hello', { payload: tmk('hello') }, async ({ vm, expect }) => {
    await vm.serial.waitFor('hello');
    expect(await vm.halted).toMatchObject({ reason: 'complete' });
  });
`;
const plain = new UserProject('around', { 'hello.test.ts': hello });
const configured = new UserProject('around-configured', {
  'hello.test.ts': hello,
  // Node imports it, like an installed package.
  'vitest.config.ts': `
    const load = new Function('path', 'return import(path)');
    const { definePetriConfig } = await load(${JSON.stringify(new URL('../vitest/config.ts', import.meta.url).href)});
    export default definePetriConfig();
  `,
});

let temporary: string;

beforeAll(() => {
  temporary = realpathSync(mkdtempSync(join(tmpdir(), 'petri-around-')));
  chmodSync(temporary, 0o1777);
  for (const project of [plain, configured]) {
    project.write();
    chmodSync(project.folder, 0o755);
  }
});

afterAll(() => {
  plain.remove();
  configured.remove();
  rmSync(temporary, { recursive: true });
});

function runs(project: UserProject): string[] {
  const folder = join(project.folder, '.petri/runs');
  return existsSync(folder) ? readdirSync(folder) : [];
}

describe('a project without a configuration', () => {
  it('prints only the output of its tests', async () => {
    const { code, output } = await plain.run(petri, ['test']);
    expect(output).not.toMatch(/warn|PLUGIN_TIMINGS|rolldown|esbuild|deprecat|petri:/i);
    expect(output).toMatch(/none {2}1 passed/);
    expect(code).toBe(0);
    expect(runs(plain)).toHaveLength(2);
  });

  it('keeps its runs in the folder of the variable', async () => {
    const before = runs(plain);
    const { code } = await plain.run(petri, ['test'], { PETRI_RUNS_DIR: '../elsewhere', TMPDIR: temporary });
    expect(code).toBe(0);
    const elsewhere = join(plain.folder, '../elsewhere');
    expect(readdirSync(elsewhere)).toContain('latest');
    rmSync(elsewhere, { recursive: true });
    expect(runs(plain)).toEqual(before);
  });

  it.each([
    ['PETRI_RUNS_DIR', '/dev/null/runs', 'the folder of runs cannot be used'],
    ['PETRI_STATE_DIR', 'state', 'is not an absolute path'],
  ])('is not run with an unusable %s', async (name, value, message) => {
    const { code, output } = await plain.run(petri, ['test'], { [name]: value });
    expect(output).toContain(message);
    expect(output).toMatch(/remedy: /);
    expect(output).not.toMatch(/^\s+at |passed/m);
    expect(code).not.toBe(0);
  });
});

/** A user without an entry in passwd and without a home folder, who cannot write to the project. */
function asNobody(project: UserProject, argv: readonly string[]): Promise<Outcome> {
  const script = join(temporary, 'nobody.mjs');
  // The command's entry point, run as another user whose name and home folder are those of the caller.
  writeFileSync(
    script,
    `
      delete process.env.HOME;
      for (const name of ['XDG_STATE_HOME', 'LOGNAME', 'USER']) delete process.env[name];
      process.setgroups([]);
      process.setgid(54321);
      process.setuid(54321);
      await import(${JSON.stringify(petri)});
    `,
  );
  return project.run(script, argv, { TMPDIR: temporary, HOME: undefined });
}

/** Why this cannot be tested, or undefined. */
function why(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can act as another user';
  if (optionalTool('setpriv', 'util-linux') === undefined) return 'no setpriv';
  const argv = ['--reuid', '54321', '--regid', '54321', '--clear-groups', 'test', '-r'];
  try {
    execFileSync('setpriv', [...argv, fileURLToPath(import.meta.url)]);
    return undefined;
  } catch {
    return 'another user cannot read this repository';
  }
}

describe.skipIf(why() !== undefined)('a user without a home folder, in a project that is read-only', () => {
  it.each([
    ['without a configuration', plain],
    ['with one', configured],
  ])('runs tests %s', async (_name, project) => {
    mkdirSync(join(project.folder, '.petri'), { recursive: true });
    const before = runs(project);
    const { code, output } = await asNobody(project, ['test']);
    expect(output).toMatch(/none {2}1 passed/);
    expect(output).toMatch(/runs are kept in .*petri-vm\.54321.runs.*PETRI_RUNS_DIR names another folder/);
    expect(output).not.toMatch(/^\s+at |rror/m);
    expect(code).toBe(0);
    expect(runs(project)).toEqual(before);
  });

  it('gets a report from petri doctor, and can sweep', async () => {
    const { code, output } = await asNobody(plain, ['doctor', '--backend=sim']);
    expect(output).toMatch(/state .*petri-vm\.54321.state\n.*no home folder; PETRI_STATE_DIR/);
    expect(output).toMatch(/runs .*petri-vm\.54321.runs.*\n.*EACCES.*; PETRI_RUNS_DIR/);
    expect(code).toBe(0);
    const swept = await asNobody(plain, ['sweep']);
    expect(swept).toMatchObject({ code: 0, stdout: 'nothing was left behind\n' });
  });

  it('gets one error from commands that must write to the project', async () => {
    for (const argv of [
      ['cca', 'install', '--root=stack'],
      ['tmk', 'build', join(plain.folder, 'hello.test.ts')],
    ]) {
      const { code, output } = await asNobody(plain, argv);
      expect(output).toMatch(/^petri: the folder of the (stack|TMK) cannot be used: .*EACCES.*\n {2}remedy: .*\n$/);
      expect(code).toBe(1);
    }
  });
});
