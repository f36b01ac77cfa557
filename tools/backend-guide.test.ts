import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { procTable } from '../petri/kit/process/testing.ts';
import { optionalTool } from '../petri/unit-test/optional-tool.ts';
import { until } from '../petri/unit-test/until.ts';
import { ourVitest, UserProject } from '../petri/vitest/testing/user-project.ts';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const example = readFileSync(join(docs, 'examples', 'qemu-backend.ts'), 'utf8');
const guest = fileURLToPath(new URL('fixtures/echo-guest.S', import.meta.url));

const tools = [
  optionalTool('qemu-system-aarch64', 'qemu-system-arm'),
  optionalTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu'),
  optionalTool('aarch64-linux-gnu-objcopy', 'binutils-aarch64-linux-gnu'),
];

/** Marks everything that descends from the run to be killed; others may run this test at the same time. */
const MARK = `PETRI_GUIDE_TEST=${process.pid}`;

describe('the guide to writing a backend', () => {
  it('has the whole code of the example in it, piece by piece', () => {
    const guide = readFileSync(join(docs, 'backends.md'), 'utf8');
    const pieces = [...guide.matchAll(/<!-- examples\/qemu-backend\.ts -->\n\n```ts\n([^]*?)```/g)];
    const code = pieces.map(([, piece = '']) => piece.trim()).join('\n\n');
    expect(code).toBe(example.trim());
  });

  it('has an example that needs nothing of ours but the entry', () => {
    const imported = [...example.matchAll(/from '([^']+)'/g)].map(([, name]) => name);
    expect(imported).toContain('petri-vm/backend');
    expect(imported.filter((name) => name?.startsWith('node:') !== true)).toEqual(['petri-vm/backend']);
  });
});

const project = new UserProject('backend-guide', {
  'vitest.config.ts': `
    import { fileURLToPath } from 'node:url';
    import { load } from '../../bin/load.mjs';
    const { definePetriConfig } = await load('petri/vitest/config');
    export default definePetriConfig({
      backends: { acme: () => import('./qemu-backend.ts') },
      backend: 'acme',
      features: { 'acme.icount': 'the clock of the guest counts its instructions' },
      resolve: { alias: { 'petri-vm': fileURLToPath(new URL('../../petri/index.ts', import.meta.url)) } },
      test: { include: ['*.test.ts'], testTimeout: 0 },
    });
  `,
  // In the repository the entry is a file.
  'qemu-backend.ts': example.replace("'petri-vm/backend'", "'../../petri/backend.ts'"),
  'boot.test.ts': `
    import { expect } from 'vitest';
    import { linux, petriTest, tmk } from 'petri-vm';
    const payload = linux({ kernel: 'guest', initramfs: 'guest' });
    petriTest('none', 'talks', { payload, requires: ['acme.icount', 'serial.write', 'reset'] }, async ({ vm }) => {
      await vm.serial.waitFor('the guest is up');
      await vm.serial.write('abc');
      await vm.serial.waitFor('abc');
      await vm.serial.write('r');
      expect(await vm.halted).toEqual({ reason: 'reset' });
      await vm.reset();
      await vm.serial.waitFor('the guest is up');
      await vm.serial.write('q');
      expect(await vm.halted).toEqual({ reason: 'power-off' });
    });
    petriTest('none', 'is ended', { payload }, async ({ vm }) => {
      await vm.serial.waitFor('the guest is up');
      await vm.kill();
      expect(await vm.halted).toEqual({ reason: 'stopped' });
    });
    petriTest('none', 'hangs', { payload, timeout: 1000 }, async ({ vm }) => {
      const { reason } = await vm.halted;
      throw new Error('it ended with ' + reason);
    });
    petriTest('none', 'a TMK', { payload: tmk('hello') }, async () => {});
    petriTest('none', 'too large', { payload, memory: '8G' }, async () => {});
    petriTest('cca', 'a realm', { payload }, async () => {});
  `,
  'endless.test.ts': `
    import { writeFileSync } from 'node:fs';
    import { linux, petriTest } from 'petri-vm';
    const payload = linux({ kernel: 'guest', initramfs: 'guest' });
    petriTest('none', 'for ever', { payload }, async ({ vm }) => {
      await vm.serial.waitFor('the guest is up');
      writeFileSync('runs', '');
      await vm.halted;
    });
  `,
});

describe.skipIf(tools.includes(undefined))('its backend', () => {
  beforeAll(() => {
    project.write();
    const run = (command: string, ...args: readonly string[]): void => {
      const { status, stderr } = spawnSync(command, args, { cwd: project.folder, encoding: 'utf8' });
      expect(status, stderr).toBe(0);
    };
    run('aarch64-linux-gnu-gcc', '-nostdlib', '-static', '-Wl,--build-id=none', guest, '-o', 'guest.elf');
    run('aarch64-linux-gnu-objcopy', '-O', 'binary', '-j', '.text', 'guest.elf', 'guest');
    mkdirSync(join(project.folder, 'tmp'));
  });
  afterAll(() => {
    // Only where the test failed.
    for (const pid of marked()) process.kill(pid, 'SIGKILL');
    project.remove();
  });

  const environment = (): Record<string, string> => ({
    PETRI_STATE_DIR: join(project.folder, 'state'),
    TMPDIR: join(project.folder, 'tmp'),
  });

  it('runs tests, ends a guest that hangs, and has those skipped that it cannot run', async () => {
    const { output } = await project.run(ourVitest, ['run', 'boot'], environment());
    expect(output).toMatch(/✓ .*talks/);
    expect(output).toContain('it ended with timeout');
    expect(output).toMatch(/Tests {2}1 failed \| 2 passed \| 3 skipped/);
    expect(output).toMatch(/1 × .*'acme'.*'tmk'/);
    expect(output).toMatch(/1 × .*8192 MiB.*at most 4096 MiB/);
    expect(output).toMatch(/1 × .*does not make VMs of isolation type 'cca'/);
  });

  it('leaves nothing behind where the runner is killed', async () => {
    const [name = '', value = ''] = MARK.split('=');
    const others = Object.entries(process.env).filter(([key]) => !key.startsWith('PETRI_') && key !== 'VITEST');
    const runner = spawn(process.execPath, [ourVitest, 'run', 'endless'], {
      cwd: project.folder,
      env: { ...Object.fromEntries(others), ...environment(), [name]: value },
      stdio: 'ignore',
    });
    const ended = once(runner, 'exit');
    await until(() => (existsSync(join(project.folder, 'runs')) ? true : undefined));
    expect(marked().filter(isQemu)).toHaveLength(1);
    runner.kill('SIGKILL');
    await ended;
    await expect.poll(marked).toEqual([]);
    expect(readdirSync(join(project.folder, 'tmp')).filter((entry) => entry.startsWith('petri-vm-'))).toEqual([]);
  });
});

function marked(): number[] {
  return procTable.list().flatMap(({ pid }) => (procTable.environment(pid)?.includes(MARK) === true ? [pid] : []));
}

function isQemu(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('qemu-system-aarch64');
}
