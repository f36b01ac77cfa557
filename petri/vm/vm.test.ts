import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { Backend, LinuxPayload, TmkPayload } from '../contract/index.ts';
import { launchController, launchVm, type LaunchOptions } from './launch.ts';
import {
  greeter,
  namedTmk,
  scriptedBackend,
  specFor,
  type GuestScript,
  type ScriptedBackend,
  type ScriptedOptions,
} from './testing.ts';
import type { LinuxVm, TmkVm, VmOf } from './vm.ts';

const silent: GuestScript = () => undefined;

let directory: string;
const vms: TmkVm[] = [];
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'petri-vm-')), 'vm');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(vms.splice(0).map((vm) => vm.dispose()));
  rmSync(join(directory, '..'), { recursive: true });
});

async function launch(
  backend: Backend,
  options: Partial<LaunchOptions> = {},
  payload = namedTmk('a::one'),
): Promise<TmkVm> {
  const vm = await launchVm(backend, specFor(payload), {
    directory,
    features: ['tmk', 'tmk.events', 'reset', 'serial.write'],
    ...options,
  });
  vms.push(vm);
  return vm;
}

async function scripted(
  script: GuestScript,
  options: ScriptedOptions = {},
): Promise<{ readonly vm: TmkVm; readonly backend: ScriptedBackend }> {
  const backend = scriptedBackend(script, options);
  return { backend, vm: await launch(backend) };
}

describe('booting', () => {
  it.each<[string, (vm: TmkVm) => Promise<unknown>]>([
    ['serial.waitFor', (vm) => vm.serial.waitFor('hello')],
    ['serial.lines', (vm) => vm.serial.lines().next()],
    ['serial.sendLine', (vm) => vm.serial.sendLine('x')],
    ['halted', (vm) => vm.halted],
    ['start', (vm) => vm.start()],
    ['tmk.run', (vm) => vm.tmk.run('one')],
  ])('%s boots, once', async (_name, use) => {
    const { vm, backend } = await scripted(greeter);
    expect(backend.calls).toEqual(['launch']);
    await use(vm);
    await vm.halted;
    expect(backend.calls.filter((call) => call.startsWith('start'))).toEqual(['start 0']);
  });

  it('boots once for uses at the same time', async () => {
    const { vm, backend } = await scripted(greeter);
    await Promise.all([vm.halted, vm.serial.waitFor('hello'), vm.start()]);
    expect(backend.calls).toEqual(['launch', 'start 0']);
  });

  it('does not choose among several tests', async () => {
    const vm = await launch(scriptedBackend(greeter), {}, namedTmk('a::one', 'a::two'));
    await expect(vm.halted).rejects.toMatchObject({ code: 'tmk-test-ambiguous' });
    await expect(vm.serial.waitFor('hello')).rejects.toThrow(/2 tests[^]*a::one, a::two/);
  });

  it('boots with the test that was chosen, for the launch or with the payload', async () => {
    const vm = await launch(scriptedBackend(greeter), { test: 'two' }, namedTmk('a::one', 'a::two'));
    expect((await vm.serial.waitFor(/hello from (.*)/)).captures).toEqual(['a::two']);
    const payload = { ...namedTmk('a::one', 'a::two'), test: 'a::two' };
    const other = await launch(scriptedBackend(greeter), { directory: join(directory, 'other') }, payload);
    expect((await other.serial.waitFor(/hello from (.*)/)).captures).toEqual(['a::two']);
  });

  it('tells of a backend that fails to make or boot a VM', async () => {
    const backend = scriptedBackend(greeter);
    const broken: Backend = { ...backend, launch: () => Promise.reject(new TypeError('oops')) };
    await expect(launch(broken)).rejects.toMatchObject({ code: 'backend-fault', step: 'launch' });
    const unbootable: Backend = {
      ...backend,
      launch: async (spec, context) => ({
        ...(await backend.launch(spec, context)),
        start: () => Promise.reject(new TypeError('no power')),
      }),
    };
    const vm = await launch(unbootable);
    await expect(vm.serial.waitFor('x')).rejects.toThrow('no power');
    await expect(vm.halted).rejects.toMatchObject({ code: 'backend-fault', step: 'boot' });
  });
});

describe('lifecycle', () => {
  it('halts with what the backend says, and ends the consoles with it', async () => {
    const { vm } = await scripted(greeter);
    expect(await vm.halted).toEqual({ reason: 'complete', success: true });
    expect(vm.haltReason).toEqual({ reason: 'complete', success: true });
    await expect(vm.serial.waitFor('never')).rejects.toThrow('the VM halted: complete (success)');
  });

  it('stops a guest that runs, and does nothing otherwise', async () => {
    const { vm, backend } = await scripted(silent);
    await vm.stop();
    await vm.start();
    await vm.stop();
    await vm.stop();
    expect(await vm.halted).toEqual({ reason: 'stopped' });
    expect(backend.calls).toEqual(['launch', 'start 0', 'stop']);
  });

  it.each([0.5, Infinity])('asks a guest to stop, whatever time it is given: %s ms', async (timeout) => {
    const { vm, backend } = await scripted(silent);
    await vm.start();
    await vm.stop({ timeout });
    expect(backend.calls).toContain('stop');
    expect(await vm.halted).toEqual({ reason: 'stopped' });
  });

  it('does not end a VM whose deadline and limit are beyond what a timer can hold', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const vm = await launch(scriptedBackend(silent), { deadline: 2 ** 33, runLimit: 2 ** 33 });
      await vm.start();
      vi.advanceTimersByTime(60_000);
      await vm.kill();
      expect(await vm.halted).toEqual({ reason: 'stopped' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('kills a guest that does not stop in time', async () => {
    vi.stubEnv('PETRI_SLOW_FACTOR', '0.01');
    const { vm, backend } = await scripted(silent, { obedient: false });
    await vm.start();
    await vm.stop({ timeout: 1 });
    expect(await vm.halted).toEqual({ reason: 'stopped' });
    expect(backend.calls).toContain('kill');
  });

  it('kills once, at any time, for good', async () => {
    const { vm, backend } = await scripted(silent);
    await Promise.all([vm.kill(), vm.kill()]);
    await vm.kill();
    expect(backend.calls.filter((call) => call === 'kill')).toHaveLength(1);
    expect(await vm.halted).toEqual({ reason: 'stopped' });
    await expect(vm.start()).rejects.toMatchObject({ code: 'vm-closed' });
    await expect(vm.serial.waitFor('x')).rejects.toMatchObject({ code: 'console-closed' });
  });

  it('resets: the next boot has consoles of its own and the old one is over', async () => {
    let boots = 0;
    const { vm } = await scripted(({ print }) => {
      boots += 1;
      print(`boot ${boots}\n`);
    });
    await vm.serial.waitFor('boot 1');
    const first = vm.halted;
    const late = vm.serial.waitFor('boot 2').catch((error: unknown) => error);
    await vm.reset();
    expect((await vm.serial.waitFor('boot 2')).before).toBe('');
    expect(await late).toMatchObject({ code: 'console-closed' });
    expect(await first).toEqual({ reason: 'stopped' });
    expect(vm.haltReason).toBeUndefined();
    expect(vm.serial.transcript).toBe('boot 1\nboot 2\n');
  });

  it('starts again after the end, where the backend can', async () => {
    const { vm, backend } = await scripted(greeter);
    await vm.halted;
    await vm.start();
    await vm.halted;
    expect(backend.calls).toEqual(['launch', 'start 0', 'start 0']);
    const once = await launch(scriptedBackend(greeter), { features: ['tmk'], directory: join(directory, 'once') });
    await once.halted;
    await expect(once.start()).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('ends at the signal of its owner', async () => {
    const controller = new AbortController();
    const vm = await launch(scriptedBackend(silent), { signal: controller.signal });
    const halted = vm.halted;
    await vm.start();
    controller.abort();
    expect(await halted).toEqual({ reason: 'stopped' });
    const late = await launch(scriptedBackend(silent), {
      signal: AbortSignal.abort(),
      directory: join(directory, 'x'),
    });
    await expect(late.start()).rejects.toMatchObject({ code: 'vm-closed' });
  });

  it('halts with timeout at its deadline, and waits fail with that', async () => {
    const backend = scriptedBackend(silent);
    const vm = await launch(backend, { deadline: 20 });
    await expect(vm.serial.waitFor('x')).rejects.toThrow('the VM halted: timeout: it had to end within 0.0 s');
    expect(await vm.halted).toMatchObject({ reason: 'timeout' });
    expect(backend.calls).toContain('end timeout');
  });

  it('halts with timeout even if the backend does not', async () => {
    vi.stubEnv('PETRI_SLOW_FACTOR', '0.01');
    const vm = await launch(scriptedBackend(silent, { obedient: false }), { deadline: 20 });
    expect(await vm.halted).toMatchObject({ reason: 'timeout' });
  });

  it('is given up at its deadline while its backend waits for a machine', async () => {
    const waiting: Backend = {
      ...scriptedBackend(silent),
      launch: (_spec, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('the board is taken')), { once: true });
        }),
    };
    await expect(launch(waiting, { deadline: 20 })).rejects.toMatchObject({
      code: 'wait-timeout',
      step: 'launch',
      message: expect.stringMatching(/to end within 0\.0 s.*the board is taken/) as string,
    });
    const cancelled = AbortSignal.timeout(20);
    await expect(launch(waiting, { signal: cancelled })).rejects.toThrow('the board is taken');
  });

  it('is ended at once when it was cancelled while its backend made it', async () => {
    const controller = new AbortController();
    const backend = scriptedBackend(silent, { onLaunch: () => controller.abort() });
    const vm = await launch(backend, { signal: controller.signal });
    expect(backend.calls.at(-1)).toBe('kill');
    expect(await vm.halted).toEqual({ reason: 'stopped' });
  });

  it('is disposed of by `await using`, whatever state it is in', async () => {
    const backend = scriptedBackend(silent);
    {
      await using vm = await launchVm(backend, specFor(namedTmk('a')), { directory, features: [] });
      await vm.start();
    }
    expect(backend.calls.at(-1)).toBe('kill');
    expect(existsSync(join(directory, 'vm.json'))).toBe(true);
  });
});

describe('tmk', () => {
  it('lists the tests and runs them one by one', async () => {
    const payload = namedTmk('a::one', { name: 'a::two', expectedFailure: true });
    const vm = await launch(scriptedBackend(greeter), {}, payload);
    expect(vm.tmk.list().map(({ name }) => name)).toEqual(['a::one', 'a::two']);
    expect(await vm.tmk.run('one')).toMatchObject({
      test: 'a::one',
      verdict: 'pass',
      logs: ['running test a::one', 'hello from a::one'],
      halt: { reason: 'complete', success: true },
    });
    expect(await vm.tmk.run('a::two')).toMatchObject({ verdict: 'fail', expectedFailure: true });
    expect(vm.tmk.events).toContainEqual({ kind: 'log', message: 'hello from a::two' });
    await expect(vm.tmk.run('three')).rejects.toMatchObject({ code: 'tmk-test-unknown' });
  });

  it('judges each run by its own boot', async () => {
    const vm = await launch(
      scriptedBackend(({ test, tell, halt }) => {
        const success = test.index === 1;
        tell({ kind: 'complete', success });
        halt({ reason: 'complete', success });
      }),
      {},
      namedTmk('a', 'b'),
    );
    const results = await Promise.all([vm.tmk.run('a'), vm.tmk.run('b')]);
    expect(results.map(({ verdict }) => verdict)).toEqual(['fail', 'pass']);
  });
});

describe('the type of a VM', () => {
  it('is that of its payload', () => {
    expectTypeOf<VmOf<TmkPayload>>().toEqualTypeOf<TmkVm>();
    expectTypeOf<VmOf<LinuxPayload>>().toEqualTypeOf<LinuxVm>();
    expectTypeOf<VmOf<TmkPayload | LinuxPayload>>().toEqualTypeOf<TmkVm | LinuxVm>();
    expectTypeOf<TmkVm>().not.toHaveProperty('exec');
    expectTypeOf<LinuxVm>().not.toHaveProperty('tmk');
  });
});

describe('what a backend cannot show', () => {
  it('is refused with the feature to require', async () => {
    const { vm } = await scripted(greeter);
    expect(() => vm.planes).toThrow(/'planes'[^]*requires/);
    expect(() => vm.realm).toThrow(/realm facts/);
    expect(() => vm.registers()).toThrow(/'inspect.registers'/);
  });
});

describe('record', () => {
  it('has the consoles, the log, the specification and how it ended', async () => {
    const backend = scriptedBackend(greeter, { onLaunch: ({ log }) => log('made of paper') });
    const vm = await launch(backend);
    await vm.halted;
    await vm.dispose();
    await vm.dispose();
    expect(readdirSync(directory).sort()).toEqual(['petri.log', 'serial.log', 'serial.timing', 'vm.json']);
    expect(readFileSync(join(directory, 'serial.log'), 'utf8')).toContain('hello from a::one\n');
    expect(readFileSync(join(directory, 'petri.log'), 'utf8')).toMatch(/^\d{4}-\S+ made of paper\n$/);
    expect(JSON.parse(readFileSync(join(directory, 'vm.json'), 'utf8'))).toMatchObject({
      backend: 'scripted',
      isolation: 'cca',
      payload: { name: 'named' },
      config: { memory: 2 ** 29, rpv: '00'.repeat(64) },
      boots: [{ test: 'a::one', halt: { reason: 'complete', success: true }, events: 3 }],
      consoles: [{ name: 'serial', bytes: 38 }],
    });
  });

  it('keeps attachments under names of their own, inside the folder', async () => {
    const { vm } = await scripted(greeter);
    const paths = [
      await vm.attach('trace.txt', 'one'),
      await vm.attach('trace.txt', 'two'),
      await vm.attach('../x', 'y'),
    ];
    expect(paths.map((path) => path.slice(directory.length))).toEqual([
      '/attachments/trace.txt',
      '/attachments/trace-2.txt',
      '/attachments/.._x',
    ]);
    expect(readFileSync(paths[1] ?? '', 'utf8')).toBe('two');
  });

  it('refuses an attachment that cannot be written with an error of its own', async () => {
    const { vm } = await scripted(greeter);
    writeFileSync(join(directory, 'attachments'), 'a file where the folder was to be');
    await expect(vm.attach('trace.txt', 'one')).rejects.toMatchObject({
      name: 'PetriError',
      code: 'folder-unusable',
      message: expect.stringContaining('"trace.txt" cannot be kept') as string,
    });
  });

  it('describes its state for a failure message', async () => {
    const options = { directory, features: ['tmk'] } as const;
    const vm = await launchController(scriptedBackend(greeter), specFor(namedTmk('a::one')), options);
    expect(vm.describe()).toContain('the VM was not booted');
    await vm.untilHalted();
    expect(vm.describe()).toContain('the VM halted: complete (success)');
    expect(vm.describe()).toContain('  | hello from a::one');
    await vm.dispose();
  });
});
