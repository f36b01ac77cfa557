import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blamedLine, resultOf as resultAmong, runFixture, type Reported } from './fixtures/run-fixture.ts';
import { petriTest } from './petri-test.ts';

let directory: string;
let results: readonly Reported[];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'petri-test-'));
  results = await runFixture(directory, 'behaviour');
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function resultOf(name: string): Reported {
  return resultAmong(results, name);
}

describe('petriTest', () => {
  it.each([
    'body passes',
    'payload is made when the test runs',
    'VM is not booted unless needed',
    "vitest's context is there",
    'declared: met',
    'declared: halt with details',
    'feature is there',
    'body launches',
    'unstable passes',
    'retried',
    'row a with 1',
    'row b with 2',
    'declared row hello',
    'suite > works',
    'suite > powering off',
    'suite > on Linux',
    'blind suite > works',
    'toPrint',
    'toHaltWith',
  ])('passes: %s', (name) => {
    expect(resultOf(name).state).toBe('passed');
  });

  it.each([
    ['body fails', /expected 2 to be 3[^]*the VM halted: complete \(success\)[^]*\| hello from hello/],
    ['wait fails', /ended without the text "good evening": the VM halted: complete[^]*hello from hello/],
    ['declared: not printed', /without the text "running test"[^]*pass \{ from: 'boot' \}/],
    ['declared: printed', /printed the pattern \/panicked\/: "panicked"[^]*the VM halted: panic at main.rs:7: disco/],
    ['declared: other halt', /halted with panic at main.rs:7: disco, expected complete \(success\)/],
    ['declared: never ends', /did not end by itself: timeout: it had to end within 0.5 s/],
    ['wrong launch', /launch\(\) has no option 'memroy', did you mean 'memory'\?[^]*the options are payload, .*memory/],
    ['launch of a test', /launch\(\) does not take 'timeout': it is about a test/],
    ['no payload', /has no payload, so it has no VM/],
    ['guest loops', /without the text "never": the VM halted: timeout/],
    ['body never ends', /the test did not end within 0.6 s[^]*the VM halted: timeout/],
    ['declared row silent', /halted with timeout/],
    ['suite > panicky', /panicky: panic at main.rs:7: disco/],
    [
      'suite > not reached',
      /not reached: the guest did not log 'running test not reached'; fault: an exception in the loader/,
    ],
    ['suite > works unexpectedly', /unexpectedly passed: complete \(success\)/],
    ['toPrint fails', /ended without the text "panic"/],
    ['not.toPrint fails', /printed the pattern \/panic\/: "panic"/],
    ['not.toPrint of a VM that was cut off', /the VM halted: timeout/],
    ['toHaltWith fails', /halted with panic at main.rs:7: disco, expected complete \(success\)/],
  ])('fails with its diagnosis: %s', (name, message) => {
    const { state, errors } = resultOf(name);
    expect(state).toBe('failed');
    expect(errors).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    [
      'backend does not make it',
      "backend 'scripted' does not make VMs of isolation type 'snp': it makes 'cca', 'none', 'tdx'",
    ],
    ['user does not select it', "isolation type 'vbs' is not selected: --isolation=cca,none,snp,tdx"],
    ['feature is missing', "backend 'scripted' does not have 'planes' for isolation type 'none'"],
    ['too large', "the test needs 2048 MiB of memory, backend 'scripted' gives at most 1024 MiB"],
    ['unstable fails', 'unstable (race in the guest): failed with Error: as feared'],
    ['skipped', undefined],
    ['blind suite > powering off', "backend 'scripted' does not have 'tmk.events' for isolation type 'tdx'"],
    ['plain suite > on Linux', "'on Linux' needs Linux in plane 0, and isolation type 'none' has no plane 0"],
  ])('skips with the reason: %s', (name, note) => {
    expect(resultOf(name)).toMatchObject({ state: 'skipped', errors: [], ...(note === undefined ? {} : { note }) });
  });

  it('ends every VM: the fixture counts', () => {
    expect(results.filter(({ name }) => name.endsWith('.fixture.ts'))).toEqual([]);
  });

  it.each([
    ['wait fails', "await vm.serial.waitFor('good evening')"],
    ['declared: not printed', "'declared: not printed'"],
    ['declared: other halt', "'declared: other halt'"],
    ['declared row silent', "petriTest.for(['silent', 'hello'])"],
    ['suite > panicky', "petriTest.tmk('cca'"],
    ['toHaltWith fails', "await expect(vm).toHaltWith('complete')"],
  ])('points at the line of the test: %s', (name, expected) => {
    expect(blamedLine(resultOf(name))).toContain(expected);
  });

  it('says each thing once', () => {
    const [message = ''] = resultOf('wait fails').errors;
    expect(message.match(/hello from hello/g)).toHaveLength(1);
    expect(message.match(/the VM halted/g)).toHaveLength(1);
    expect(message).toContain(`record: ${directory}`);
  });

  it('gives tags for the isolation type and the features', () => {
    expect(resultOf('feature is missing').tags).toEqual(['isolation/none', 'needs/planes']);
  });

  it('keeps a folder for each try of each test', () => {
    const folder = join(directory, 'behaviour.fixture.ts');
    const record = JSON.parse(readFileSync(join(folder, 'suite', 'works', 'vm.json'), 'utf8')) as unknown;
    expect(record).toMatchObject({ backend: 'scripted', boots: [{ test: 'works', halt: { reason: 'complete' } }] });
    expect(readFileSync(join(folder, 'body-passes', 'serial.log'), 'utf8')).toContain('hello from hello');
    expect(existsSync(join(folder, 'retried', 'vm.json'))).toBe(true);
    expect(existsSync(join(folder, 'retried.retry-1', 'vm.json'))).toBe(true);
    expect(existsSync(join(folder, 'body-launches', 'vm-2', 'serial.log'))).toBe(true);
  });

  it('can be filtered by tags, as any vitest test', async () => {
    const filtered = await runFixture(directory, 'behaviour', '--tags-filter=isolation/none and needs/planes');
    const ran = filtered.filter(({ note, state }) => state !== 'skipped' || note !== undefined);
    expect(ran.map(({ name }) => name)).toEqual(['feature is missing']);
  });

  it('refuses an isolation type that does not exist, and a test that asserts nothing or in two ways', () => {
    const type: string = 'sgx';
    expect(() => petriTest(type as 'cca', 'x', () => undefined)).toThrow(/"sgx"[^]*none, vbs, snp, tdx, cca/);
    const options: object = {};
    expect(() => petriTest('cca', 'x', options as { payload: never; expect: object })).toThrow(/neither a body nor/);
  });
});
