import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { toolsAreRequired } from '../petri/unit-test/optional-tool.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');

/** A project of somebody who has only the package. */
const files = {
  'package.json': JSON.stringify({
    name: 'somebody',
    private: true,
    type: 'module',
    bin: { vitest: './vitest.mjs' },
  }),
  'vitest.mjs': `#!/usr/bin/env node\nimport 'petri-vm/vitest';\n`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      target: 'ES2023',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      types: ['node'],
    },
    include: ['*.ts'],
  }),
  'vitest.config.ts': `
    import { definePetriConfig } from 'petri-vm/config';
    export default definePetriConfig({
      backends: { mine: () => import('./mine.js') },
      test: { include: ['*.test.ts'], testTimeout: 30_000 },
    });
  `,
  'mine.ts': `
    import { type Backend, PetriError } from 'petri-vm';
    export const backend: Backend = {
      name: 'mine',
      description: 'one that cannot make anything',
      probe: async () => ({ available: true, isolation: {}, limits: { maxMemory: 0, maxVcpus: 0, maxPlanes: 0 }, facts: {} }),
      launch: async () => { throw new PetriError('never', { code: 'unsupported', step: 'launch' }); },
    };
  `,
  'hello.test.ts': `
    import { petriTest, tmk } from 'petri-vm';
    petriTest('cca', 'a realm says hello', { payload: tmk('hello') }, async ({ vm, expect }) => {
      await vm.serial.waitFor('hello');
      expect(await vm.halted).toMatchObject({ reason: 'complete', success: true });
    });
    petriTest('snp', 'nobody has this', { payload: tmk('hello') }, async () => {});
  `,
  // What must not type-check. tsc complains about a directive that no error follows.
  'wrong.ts': `
    import { petriTest } from 'petri-vm';
    // @ts-expect-error: no such isolation type
    petriTest('sgx', 'x', {}, async () => {});
  `,
  // The example of the guide, which has to do with what the entry exports.
  'qemu-backend.ts': readFileSync(join(repository, 'docs', 'examples', 'qemu-backend.ts'), 'utf8'),
};

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function run(command: string, argv: readonly string[], cwd: string): Promise<Outcome> {
  const { PETRI_BACKEND: _backend, PETRI_ISOLATION: _isolation, VITEST: _vitest, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(command, argv, { cwd, env: { ...env, CI: '1' }, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, output: stripVTControlCharacters(stdout + stderr) });
    });
  });
}

function installed(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return `${name}@${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
}

let folder: string;
let project: string;
/** Why nothing could be installed, which is no fault of the package: there is no registry. */
let unreachable: string | undefined;

/** Packing builds, and others may be at work in the repository: a copy is packed. */
async function pack(): Promise<string> {
  const copy = join(folder, 'copy');
  const left = new Set(['node_modules', '.git', '.petri', 'dist']);
  mkdirSync(copy);
  for (const name of readdirSync(repository)) {
    if (!left.has(name)) cpSync(join(repository, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  const { code, output } = await run('npm', ['pack', '--pack-destination', folder], copy);
  expect(output).not.toContain('error TS');
  expect(code, output).toBe(0);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  return join(folder, tarball ?? 'no tarball');
}

/** Paths that a guide links to, relative to its folder. */
function linksIn(guide: string): string[] {
  const links = [...readFileSync(guide, 'utf8').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => !/^([a-z]+:|#)/.test(link)).map((link) => link.replace(/#.*/, ''));
}

describe('the package, installed in an empty project', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'petri-package-'));
    project = join(folder, 'project');
    mkdirSync(project);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
    const packages = [await pack(), installed('vitest'), installed('@types/node')];
    const { code, output } = await run(
      'npm',
      // Where nothing can be compiled, as on most machines of users.
      ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', ...packages],
      project,
    );
    if (code === 0) return;
    const network = /ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENOTCACHED|network/.exec(output);
    if (network === null || toolsAreRequired()) throw new Error(`npm install failed:\n${output}`);
    unreachable = `the package registry cannot be reached (${network[0]})`;
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('has what users need and nothing of the tests and tools', ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const root = join(project, 'node_modules', 'petri-vm');
    const all = readdirSync(root, { recursive: true, encoding: 'utf8' });
    expect(all).toEqual(
      expect.arrayContaining([
        'dist/petri/index.js',
        'dist/petri/index.d.ts',
        'dist/petri/backend.js',
        'dist/petri/backend.d.ts',
        'artifacts/manifest.json',
        'README.md',
        'LICENSE',
      ]),
    );
    const sources = all.filter((name) => !name.startsWith('docs/examples/'));
    expect(sources.filter((name) => /\.test\.|(?<!\.d)\.ts$|^(tools|tests|bench|petri|backends)\//.test(name))).toEqual(
      [],
    );
  });

  it('brings guides whose links lead to what is there, and whose commands work in a project', ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const root = join(project, 'node_modules', 'petri-vm');
    const guides = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
    expect(guides).toEqual(
      expect.arrayContaining([
        'README.md',
        'docs/writing-tests.md',
        'docs/architecture.md',
        'docs/api/index/functions/tmk.md',
      ]),
    );
    const broken = guides.flatMap((guide) =>
      linksIn(join(root, guide)).filter((link) => !existsSync(join(root, guide, '..', link))),
    );
    expect(broken).toEqual([]);
    for (const guide of guides.filter((name) => name.startsWith('docs/'))) {
      // vitest's own command refuses our options.
      expect(readFileSync(join(root, guide), 'utf8')).not.toMatch(/npx vitest[^\n]* --(backend|isolation)/);
    }
  });

  it('brings the command petri and leaves the command vitest to vitest', ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const bin = join(project, 'node_modules', '.bin');
    expect(existsSync(join(bin, 'petri'))).toBe(true);
    const manifest: unknown = JSON.parse(
      readFileSync(join(project, 'node_modules', 'petri-vm', 'package.json'), 'utf8'),
    );
    expect(manifest).toMatchObject({ bin: { petri: './bin/petri.mjs' } });
    expect(readFileSync(join(bin, 'vitest'), 'utf8')).toContain('./dist/cli.js');
  });

  it('type-checks a test, a configuration and a backend', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    expect(await run(process.execPath, [tsc, '-p', '.'], project)).toEqual({ code: 0, output: '' });
  });

  it.for<[string, string[]]>([
    ['npx petri test --backend=sim', ['petri', 'test', '--backend=sim']],
    ['npx vitest run, with a bin of the project', ['vitest', 'run', '--backend=sim']],
    ['npx vitest run, with vitest itself', ['--package=vitest', 'vitest', 'run']],
  ])('runs a realm with %s', async ([_name, argv], { skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const { code, output } = await run('npx', argv, project);
    expect(output).toMatch(/cca {2}1 passed/);
    expect(output).toMatch(/snp {2}1 skipped/);
    expect(code).toBe(0);
  });

  it('brings what reaches machines of a lab, where nothing can be compiled', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    writeFileSync(
      join(project, 'lab.mjs'),
      `
        const hardware = new URL('node_modules/petri-vm/dist/backends/hardware/', import.meta.url);
        const load = (path) => import(new URL(path, hardware).href);
        const { loadSsh2 } = await load('ssh/ssh2.js');
        const { loadPty } = await load('console/command-console.js');
        const [ssh2, pty] = await Promise.all([loadSsh2(), loadPty()]);
        const terminal = pty.spawn('sh', ['-c', 'test -t 0 && echo a terminal'], {});
        let said = '';
        terminal.onData((text) => (said += text));
        await new Promise((resolve) => terminal.onExit(resolve));
        console.log(typeof ssh2.Client, said.trim());
      `,
    );
    expect(await run(process.execPath, ['lab.mjs'], project)).toEqual({ code: 0, output: 'function a terminal\n' });
  });

  it('lists tests with the project’s own backend beside ours', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const { code, output } = await run('npx', ['petri', 'list'], project);
    expect(output).toMatch(/sim: runs \| mine: skipped, backend 'mine' does not make VMs of isolation type 'cca'/);
    expect(code).toBe(0);
  });

  it('says what each backend can do here', async ({ skip }) => {
    if (unreachable !== undefined) skip(unreachable);
    const { code, output } = await run('npx', ['petri', 'doctor'], project);
    expect(output).toMatch(/sim\s+ready/);
    expect(output).toMatch(/fvp\s+not available/);
    expect(code).toBe(0);
  });
});

describe('the lock file', () => {
  it('names no registry', () => {
    expect(readFileSync(join(repository, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "http/);
  });
});
