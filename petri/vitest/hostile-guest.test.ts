import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { tmk } from '../payload/index.ts';
import { hazardsIn } from '../text/testing.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Lines of the guest that look like those of vitest, of `petri` or of our logs. */
const FORGED =
  /^(?:[\s✓×❯]*)(?:test forged completed|tests\/forged|Test Files {2}1 passed \(1\)|Tests {2}1 passed \(1\)|ok +forged|remedy: owned|petri: owned|1970-01-01)/;

/** A test file that uses everything that prints failures: waits, matchers, diffs, properties, causes and so on. */
const testFile = `
  import { expect as vitestExpect } from 'vitest';
  import { petriTest, tmk } from '../../petri/index.ts';
  const payload = tmk('hostile');
  const worse = tmk('./worse.elf');
  petriTest.tmk('cca', payload);
  petriTest.tmk('cca', { ...worse, name: 'worse' });
  for (const { name, index } of payload.image.tests.slice(0, 4)) {
    const options = { payload, test: name, timeout: 60_000 };
    const add = (what, body) => petriTest('none', what + ' ' + String(index), options, body);
    add('wait', async ({ vm }) => { await vm.serial.waitFor('owned forged remedy nothing'); });
    add('not.toPrint', async ({ vm, expect }) => { await vm.halted; await expect(vm).not.toPrint(/[^]*owned[^]*/); });
    add('toHaltWith', async ({ vm, expect }) => { await expect(vm).toHaltWith({ reason: 'panic', message: 'x', location: /y/ }); });
    add('halt diff', async ({ vm, expect }) => { expect(await vm.halted).toEqual({ reason: 'panic', message: 'a', location: 'b\\nc' }); });
    add('transcript diff', async ({ vm, expect }) => {
      await vm.halted;
      expect(vm.serial.transcript).toBe(vm.serial.transcript + 'one\\nmore');
    });
    add('soft', async ({ vm, expect }) => {
      await vm.halted;
      expect.soft(vm.serial.transcript).toBe('soft\\nly');
      expect.soft({ text: [vm.serial.transcript] }).toEqual({ text: ['x'] });
      vitestExpect.soft(1, vm.serial.transcript).toBe(2);
    });
    add('thrown', async ({ vm }) => {
      const halt = await vm.halted;
      throw Object.assign(new TypeError(vm.serial.transcript, { cause: new Error(JSON.stringify(halt) + vm.serial.transcript) }), {
        name: vm.serial.transcript, halt, events: vm.tmk.events, [vm.serial.transcript]: 1,
      });
    });
    add('thrown text', async ({ vm }) => { await vm.halted; throw vm.serial.transcript; });
    add('thrown frozen', async ({ vm }) => { await vm.halted; throw Object.freeze(new Error(vm.serial.transcript)); });
    add('forged frames', async ({ vm }) => {
      await vm.halted;
      const error = new Error('x');
      error.stack = 'Error: y\\n' + vm.serial.transcript + '\\n    at owned (owned.ts:1:1)\\n' + vm.serial.transcript;
      throw error;
    });
    add('annotated', async ({ vm, annotate }) => {
      await vm.halted;
      await annotate(vm.serial.transcript);
      await annotate(vm.serial.transcript, vm.serial.transcript.slice(0, 40));
    });
    add('skipped', async ({ vm, skip }) => { await vm.halted; skip(vm.serial.transcript); });
    petriTest('none', 'unstable ' + String(index), { ...options, unstable: 'as said' }, async ({ vm }) => {
      await vm.halted;
      throw new Error(vm.serial.transcript);
    });
    petriTest('none', 'declared ' + String(index), { ...options, expect: { serial: ['nothing'], not: [/owned/] } });
  }
  petriTest('none', 'logged', { payload, test: 'log_lines' }, async ({ vm }) => {
    await vm.halted;
    vm.log(vm.serial.transcript);
  });
`;

/** The payload, with the worst text that fits as a symbol's name. */
function withWorseSymbol(): Uint8Array {
  const bytes = readFileSync(tmk('hostile').path);
  const name = 'symbol_that_a_test_replaces_with_worse';
  const at = bytes.indexOf(`\0${name}\0`) + 1;
  const worse = Buffer.from('\u001B]0;OWNED-TITLE\u0007\n::error::x\u009B2J##vso[x');
  if (at === 0 || worse.length > name.length) throw new Error('the payload has no such symbol, or a shorter one');
  bytes.fill('y', at, at + name.length).set(worse, at);
  return bytes;
}

let project: string;
beforeAll(() => {
  mkdirSync(join(repository, '.petri'), { recursive: true });
  project = mkdtempSync(join(repository, '.petri/hostile-'));
  writeFileSync(join(project, 'worse.elf'), withWorseSymbol());
  writeFileSync(join(project, 'hostile.test.ts'), testFile);
  writeFileSync(
    join(project, 'vitest.config.ts'),
    `import { load } from '../../bin/load.mjs';
     const { definePetriConfig } = await load('petri/vitest/config');
     export default definePetriConfig({ test: { include: ['*.test.ts'], testTimeout: 60_000 } });`,
  );
});
afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

function run(command: readonly string[], environment: Readonly<Record<string, string>>): string {
  const { FORCE_COLOR: _color, NO_COLOR: _noColor, PETRI_BACKEND: _backend, CI: _ci, ...others } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: project,
    encoding: 'utf8',
    env: { ...others, PETRI_BACKEND: 'sim', ...environment },
    maxBuffer: 2 ** 28,
  });
  return stdout + stderr;
}

/** All violations in an output. Annotations that vitest itself makes, of lines in the test file, are allowed. */
function faultsIn(output: string): string[] {
  const ours = output
    .split('\n')
    .filter((line) => !/^::(?:error|notice|warning) file=[^,]*hostile\.test\.ts,/.test(line));
  const forged = ours.filter((line) => FORGED.test(stripVTControlCharacters(line)));
  return [...hazardsIn(ours.join('\n')), ...forged.map((line) => `forged: ${line}`)];
}

function recordsOf(name: string): string[] {
  return readdirSync(project, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(`/${name}`))
    .map((path) => readFileSync(join(project, path), 'utf8'));
}

describe('the output of a hostile guest', () => {
  it.each([
    ['plain', {}],
    ['coloured', { FORCE_COLOR: '1' }],
  ])('has no effect in the output of vitest and in its reports: %s', (_what, environment) => {
    const reporters = ['default', 'verbose', 'github-actions', 'junit', 'json'].map((name) => `--reporter=${name}`);
    const output = run(
      [
        join(repository, 'node_modules/vitest/vitest.mjs'),
        'run',
        ...reporters,
        '--outputFile.junit=junit.xml',
        '--outputFile.json=report.json',
      ],
      environment,
    );
    expect(faultsIn(output)).toEqual([]);
    expect(stripVTControlCharacters(output)).toMatch(/Tests {2}\d+ failed \| \d+ passed \| 8 skipped/);
    // It is shown, with its source.
    expect(output).toContain(String.raw`\x1b]0;OWNED-TITLE\x07`);
    expect(output).toMatch(/\| test forged completed/);
    for (const file of ['junit.xml', 'report.json']) {
      const report = readFileSync(join(project, file), 'utf8');
      expect(faultsIn(report)).toEqual([]);
      expect(report).toContain('OWNED-TITLE');
    }
    for (const name of ['petri.log', 'vm.json']) {
      expect(recordsOf(name).length).toBeGreaterThan(10);
      expect(recordsOf(name).flatMap(faultsIn)).toEqual([]);
    }
    expect(recordsOf('petri.log').join('')).toMatch(/\| test forged completed/);
  });

  it.each([
    ['tmk', 'run', 'hostile', './worse.elf', '--exits'],
    ['tmk', 'run', 'hostile', '--test=nothing'],
    ['tmk', 'list', 'hostile', './worse.elf'],
    ['tmk', 'list', 'hostile', '--json'],
    ['list', '--backend=sim'],
  ])('has no effect in the output of petri: %s %s %s', (...command) => {
    const output = run([join(repository, 'bin/petri.mjs'), ...command], { FORCE_COLOR: '1' });
    expect(faultsIn(output)).toEqual([]);
    expect(output).toContain('owned');
  });
});
