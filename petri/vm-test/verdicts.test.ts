import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blamedLine, resultOf, runFixture, type Reported } from './fixtures/run-fixture.ts';

let directory: string;
let results: readonly Reported[];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'petri-verdicts-'));
  results = await runFixture(directory, 'verdicts');
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('a test whose body passes', () => {
  it.each([
    [
      'unseen panic',
      /^the VM halted with panic at main.rs:7: disco, and the test did not expect[^]*toHaltWith\('panic'\)/,
    ],
    ['unseen fault', /^the VM halted with fault: nobody serves this exit[^]*\| hello\n[^]*record: /],
    ['unseen lost', /^the VM halted with backend-lost: the model has crashed[^]*petri.log/],
    ['unseen budget', /^the VM halted with budget: the budget is used up/],
    [
      'unseen failure',
      /^the VM halted with complete \(failure\)[^]*toHaltWith\({ reason: 'complete', success: false }\)/,
    ],
    ['unseen reset', /^the VM halted with reset/],
    ['unseen second VM', /^VM 2 of 2 halted with panic/],
    ['unseen first boot', /^the VM halted, in boot 1 of 2, with panic/],
    ['unseen after a transcript', /^the VM halted with panic/],
    ['unseen after another expectation', /^the VM halted with panic/],
    ['undeclared panic', /^the VM halted with panic/],
    [
      'unseen verdict',
      /^vm.tmk.run\("panic"\) had the verdict 'fail', and the test did not check it: panic at main.rs:7/,
    ],
  ])('fails with a VM that ended behind its back: %s', (name, message) => {
    const result = resultOf(results, name);
    expect(result).toMatchObject({ state: 'failed', errors: [expect.stringMatching(message)] });
    expect(blamedLine(result)).toContain('petriTest(');
  });

  it.each(['off', 'hello', 'silent'])('passes with a VM of which there is nothing to tell: %s', (name) => {
    expect(resultOf(results, `unseen ${name}`)).toMatchObject({ state: 'passed' });
  });

  it.each(['halted', 'haltReason', 'boots', 'toHaltWith', 'declared', 'verdict', 'everything of a verdict'])(
    'passes with an end that it has seen: %s',
    (name) => {
      expect(resultOf(results, `seen: ${name}`)).toMatchObject({ state: 'passed', errors: [] });
    },
  );
});

describe('a promise that nobody waits for', () => {
  it.each([
    ['waitFor', 'vm.serial.waitFor("goodbye") was never awaited', "vm.serial.waitFor('goodbye')"],
    [
      'waitFor of a pattern',
      'vm.serial.waitFor(/bye/) was never awaited, and failed: console',
      'vm.serial.waitFor(/bye/)',
    ],
    ['lines', 'vm.serial.lines() was never awaited', 'vm.serial.lines()'],
    ['sendLine', 'vm.serial.sendLine("reboot") was never awaited', 'vm.serial.sendLine('],
    ['toPrint', 'expect(vm).toPrint("goodbye") was never awaited', "expect(vm).toPrint('goodbye')"],
    ['toHaltWith', 'expect(vm).not.toHaltWith("complete")', 'own(vm).not.toHaltWith('],
    ['toPrint of a console', 'expect(console).toPrint("a") was never awaited', "expect(vm.serial).toPrint('a')"],
    ['run', 'vm.tmk.run("panic") was never awaited', "vm.tmk.run('panic')"],
    ['start that fails', "vm.start() was never awaited, and failed: the TMK 'named' has 2 tests", 'vm.start()'],
    ['halted', 'vm.halted was never awaited', 'vm.halted'],
    ['launch', 'launch() was never awaited', 'launch({ payload: hello })'],
    ['resolves', 'expect(…).resolves.toEqual(…) was never awaited', '.resolves.toEqual('],
    ['rejects', 'expect(…).rejects.toThrow(…) was never awaited', '.rejects.not.toThrow('],
  ])('fails the test that forgot it: %s', (name, message, line) => {
    const result = resultOf(results, `forgotten ${name}`);
    expect(result).toMatchObject({ state: 'failed', errors: [expect.stringContaining(message)] });
    expect(result.errors[0]).toContain('remedy: put `await` before it');
    expect(blamedLine(result)).toContain(line);
  });

  it('is named with all others, and their lines', () => {
    expect(resultOf(results, 'several forgotten').errors).toEqual([
      expect.stringMatching(
        /^vm\.serial\.waitFor\("a"\) was[^]*for vm\.serial\.waitFor\("b"\) \(verdicts\.fixture\.ts:\d+\), vm\.stop\(\) \(verd/,
      ),
    ]);
  });

  it.each(['awaited later', 'awaited together', 'returned', 'chained', 'iterated', 'a view is what it shows'])(
    'is another than one that somebody waits for: %s',
    (name) => {
      expect(resultOf(results, name)).toMatchObject({ state: 'passed', errors: [] });
    },
  );

  it('ends no worker by its rejection', () => {
    expect(results.filter(({ name }) => name === 'unhandled')).toEqual([]);
  });
});
