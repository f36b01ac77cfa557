import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { greeter, namedTmk, scriptedBackend, specFor } from '../vm/testing.ts';
import { launchVm, type TmkVm } from '../vm/index.ts';
import { SerialConsole } from '../serial/index.ts';
import { checkHalt } from './check-halt.ts';
import { petriTest } from './petri-test.ts';
import { all, any } from './requirement.ts';
import './matchers.ts';

const payload = namedTmk('a::one', 'a::two');

/** Registering while a test runs is refused by vitest: what is refused before that is refused by us. */
function registering(options: object) {
  return () => petriTest('cca', 'x', options as never, () => undefined);
}
const declaring = (expectations: unknown) => () => petriTest('cca', 'x', { payload, expect: expectations } as never);

describe('a test is refused while tests are collected:', () => {
  it.each<[object, RegExp]>([
    [
      { payload, memroy: '1G' },
      /^petriTest has no option 'memroy', did you mean 'memory'\?[^]*the options are payload, /,
    ],
    [{ payload, memory: '1X' }, /memory is "1X", expected a number of bytes or a text/],
    [{ payload, vcpus: 0 }, /vcpus is 0, expected a whole number from 1 to 512/],
    [{ payload, requires: ['plans'] }, /requires of petriTest is \[ 'plans' \], did you mean 'planes'\?/],
    [{ payload, requires: all('tmk', any('exec', 'plans')) }, /did you mean 'planes'\?/],
    [{ payload, requires: any() }, /requires of petriTest is \{ any: \[\] \}/],
    [{ payload, requires: { anyOf: ['tmk'] } }, /expected a feature, a list of features, or all/],
    [{ payload, requires: 5 }, /expected a feature, a list of features, or all/],
    [{ payload: 'hello' }, /payload of petriTest is 'hello', did you mean tmk\('hello'\)\?/],
    [{ payload, test: 'three' }, /has no test 'three'/],
    [{ payload: { kind: 'linux' }, test: 'a' }, /names the test 'a' of a payload that boots Linux/],
    [{ payload, timeout: '5s' }, /timeout of petriTest is '5s'/],
    [{ payload, retry: -1 }, /retry of petriTest is -1/],
    [{ payload, unstable: true }, /unstable of petriTest is true/],
    [{ payload, machine: 'frehs' }, /machine of petriTest is 'frehs', did you mean 'fresh'\?/],
    [{ payload, boot: 'fresh' }, /has no option 'boot': it is called 'machine'/],
    [{ payload, hostTags: 'arm' }, /hostTags of petriTest is 'arm'/],
  ])('%j', (options, message) => {
    expect(registering(options)).toThrow(message);
  });

  it.each<[unknown, RegExp]>([
    [{ serail: ['x'] }, /^expect has no option 'serail', did you mean 'serial'\?/],
    [{}, /^expect asserts nothing/],
    [{ serial: [], not: [] }, /^expect asserts nothing/],
    [undefined, /^expect asserts nothing/],
    [{ serial: 'hello' }, /^serial of expect is 'hello'; expected a list/],
    [{ serial: [''] }, /a text that is not empty or a RegExp/],
    [{ serial: ['a'], not: ['b', 'a'] }, /^expect lists a both in serial and in not/],
    [{ halt: 'compleat' }, /^halt of expect: no VM halts with 'compleat', did you mean 'complete'\?/],
    [{ halt: { reason: 'panic', success: false } }, /^halt of expect with 'panic' has no option 'success'/],
  ])('expect: %j', (expectations, message) => {
    expect(declaring(expectations)).toThrow(message);
  });

  it('rows and payloads that make no test', () => {
    expect(() => petriTest.for([])).toThrow(/no rows/);
    expect(() => petriTest.for('rows' as never)).toThrow(/list of rows/);
    expect(() => petriTest.tmk('cca', 'hello' as never)).toThrow(/such as tmk\('hello'\)/);
    expect(() => petriTest.tmk('cca', payload, { test: 'one' } as never)).toThrow(
      /^petriTest.tmk has no option 'test'/,
    );
    expect(() => petriTest('ccca' as 'cca', 'x', {}, () => undefined)).toThrow(/did you mean 'cca'\?/);
  });
});

describe('a halt that no VM has:', () => {
  it.each<[unknown, RegExp]>([
    ['pannic', /did you mean 'panic'\?/],
    ['', /no VM halts with ''/],
    [undefined, /takes a halt reason/],
    [/panic/, /takes a halt reason/],
    [{ success: true }, /has no `reason`/],
    [{ reason: 'compleet' }, /did you mean 'complete'\?/],
    [{ reason: 'complete', sucess: true }, /no option 'sucess', did you mean 'success'\?/],
    [{ reason: 'complete', success: 'yes' }, /success of .* is 'yes'; expected true or false/],
    [{ reason: 'power-off', message: /x/ }, /no option 'message'/],
    [{ reason: 'panic', message: 42 }, /message of .* is 42; expected a text or a RegExp/],
    [{ reason: 'fault', symbol: 'main' }, /symbol of .* is 'main'; expected an object with any of name, offset/],
    [{ reason: 'fault', symbol: { nmae: 'main' } }, /symbol of .* has no option 'nmae', did you mean 'name'\?/],
    [{ reason: 'fault', registers: { pc: 0x8000 } }, /pc of registers of .* is 32768; expected a bigint/],
    [{ reason: 'fault', exit: { ec: 0x20, ip: 0n } }, /exit of .* has no option 'ip', did you mean 'ipa'\?/],
  ])('%o', (expected, message) => {
    expect(() => checkHalt('toHaltWith()', expected)).toThrow(message);
  });

  it.each<[unknown]>([
    ['backend-lost'],
    [{ reason: 'complete' }],
    [{ reason: 'panic', message: /x/, location: 'a.c:1' }],
    [
      {
        reason: 'fault',
        exit: { ec: 0x20, ipa: 0n },
        registers: { pc: 0n },
        symbol: { name: /x/ },
        message: undefined,
      },
    ],
    [{ reason: 'budget', symbol: { name: 'spin', offset: 4 } }],
  ])('is none of these: %o', (expected) => {
    expect(() => checkHalt('toHaltWith()', expected)).not.toThrow();
  });
});

describe('refused before the VM starts:', () => {
  it.each<[string, (vm: TmkVm) => Promise<unknown>, RegExp]>([
    [
      'waitFor',
      (vm) => vm.serial.waitFor('x', { timeuot: 1 } as never),
      /waitFor\(\) has no option 'timeuot', did you/,
    ],
    ['waitFor 5000', (vm) => vm.serial.waitFor('x', 5000 as never), /waitFor\(\) takes an object, not 5000/],
    ['waitFor nothing', (vm) => vm.serial.waitFor(undefined as never), /pattern of waitFor\(\) is undefined/],
    [
      'from',
      (vm) => vm.serial.waitFor('x', { from: 'start' as never }),
      /from of waitFor\(\) is 'start'; expected one of/,
    ],
    ['lines', (vm) => vm.serial.lines({ timeout: 1 } as never).next(), /lines\(\) has no option 'timeout'/],
    ['write', (vm) => vm.serial.write(5 as never), /data of write\(\) is 5/],
    ['toPrint', (vm) => expect(vm).toPrint('x', { form: 'boot' } as never), /toPrint\(\) has no option 'form'/],
    ['toHaltWith', (vm) => expect(vm).toHaltWith('compleat' as never), /toHaltWith\(\): no VM halts with 'compleat'/],
    ['not.toHaltWith', (vm) => expect(vm).not.toHaltWith('compleat' as never), /did you mean 'complete'\?/],
    ['stop', (vm) => vm.stop({ timout: 1 } as never), /stop\(\) has no option 'timout', did you mean 'timeout'\?/],
    ['run', (vm) => vm.tmk.run(0 as never), /name of tmk\.run\(\) is 0/],
    ['attach', (vm) => vm.attach('x', { a: 1 } as never), /data of attach\(\) is \{ a: 1 \}/],
  ])('%s', async (_name, use, message) => {
    const backend = scriptedBackend(greeter);
    const directory = mkdtempSync(join(tmpdir(), 'petri-options-'));
    await using vm = await launchVm(backend, specFor(namedTmk('a')), { directory, features: ['serial.write'] });
    await expect(use(vm)).rejects.toThrow(message);
    expect(backend.calls).toEqual(['launch']);
    rmSync(directory, { recursive: true });
  });

  it('launchVm', async () => {
    const backend = scriptedBackend(greeter);
    const options = { directory: '/nowhere', feautres: [] };
    await expect(launchVm(backend, specFor(payload), options as never)).rejects.toThrow(/did you mean 'features'\?/);
    expect(backend.calls).toEqual([]);
  });

  it('a console takes patterns of both kinds', async () => {
    const console = new SerialConsole({ name: 'c' });
    console.push(Buffer.from('one two\n'));
    expect((await console.waitFor('one', { timeout: undefined } as never)).match).toBe('one');
    expect((await console.waitFor(/t\w+/, { from: 'boot', consume: false })).match).toBe('two');
  });
});
