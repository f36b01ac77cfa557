import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import type { LaunchContext, VmRuntime, TmkPayload, VmSpec, IsolationType } from '../../petri/contract/index.ts';
import { tmk } from '../../petri/payload/index.ts';
import { SerialConsole } from '../../petri/serial/index.ts';
import { HANGS } from '../../petri/unit-test/hangs.ts';
import { launchVm, resolveVmConfig, type VmOptions } from '../../petri/vm/index.ts';
import { VmEnd } from '../../petri/vm/testing.ts';
import { backend } from './index.ts';

interface Launched {
  readonly vm: VmRuntime;
  readonly serial: SerialConsole;
  readonly end: VmEnd;
}

async function launch(isolation: IsolationType, payload: TmkPayload, options: VmOptions = {}): Promise<Launched> {
  const serial = new SerialConsole({ name: 'serial' });
  const end = new VmEnd();
  const context: LaunchContext = {
    logDirectory: '/nowhere',
    signal: end.signal,
    onEnd: (handler) => {
      end.on(handler);
    },
    openConsole: () => serial,
    log: () => undefined,
  };
  const vm = await backend.launch({ isolation, payload, config: resolveVmConfig(options), machine: 'shared' }, context);
  return { vm, serial, end };
}

const testIndex = (payload: TmkPayload, name: string): number =>
  payload.image.tests.find((test) => test.name === name)?.index ?? -1;

const loop = tmk('loop');
const spin = { testIndex: testIndex(loop, 'spin') };

describe('the backend', () => {
  it('can always make a realm and a plain VM', async () => {
    const probe = await backend.probe();
    expect(probe.available && Object.keys(probe.isolation)).toEqual(['cca', 'none']);
  });

  it('makes no VM of another isolation type', async () => {
    await expect(launch('snp', loop)).rejects.toMatchObject({
      code: 'unsupported',
      remedy: "it makes 'cca' and 'none'",
    });
  });

  it.each<[IsolationType, VmOptions, RegExp]>([
    ['cca', { vcpus: 2 }, /needs 2 vCPUs, a simulated VM of isolation type 'cca' gives at most 1/],
    ['cca', { memory: '4M' }, /makes a VM of 4 MiB, a simulated VM of isolation type 'cca' needs at least 8 MiB/],
    ['cca', { memory: '4G', ipaWidth: 40 }, /4096 MiB of memory, backend 'sim' gives at most 2032 MiB/],
    ['cca', { ipaWidth: 32 }, /an IPA width of at least 33 bits, not 32/],
    ['none', { memory: '4G' }, /4096 MiB of memory/],
  ])('refuses %s with %o before it is asked for it', async (isolation, options, why) => {
    const probe = await backend.probe();
    const spec: VmSpec = { isolation, payload: loop, config: resolveVmConfig(options), machine: 'shared' };
    const limits = probe.available ? probe.limits : undefined;
    await expect(launchVm(backend, spec, { directory: '/nowhere', features: [], limits })).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringMatching(why) as string,
      remedy: expect.any(String) as string,
    });
  });

  it.each<[IsolationType, VmOptions]>([
    ['cca', { memory: '8M', planes: 3, ipaWidth: 33 }],
    ['cca', { memory: '2032M', ipaWidth: 48 }],
    ['none', { memory: '4M', planes: 3, ipaWidth: 32 }],
  ])('does not refuse %s with %o', (isolation, options) => {
    const spec: VmSpec = { isolation, payload: loop, config: resolveVmConfig(options), machine: 'shared' };
    expect(backend.refuses?.(spec)).toBeUndefined();
  });

  it.each<IsolationType>(['cca', 'none'])(
    'refuses an image that does not fit before it makes a %s VM',
    async (isolation) => {
      const end = 4 * 1024 * 1024;
      const payload = { ...loop, image: { ...loop.image, span: { start: 0, end } } };
      const options = isolation === 'none' ? { memory: end } : {};
      await expect(launch(isolation, payload, options)).rejects.toMatchObject({ code: 'payload-too-large' });
    },
  );
});

describe.each<IsolationType>(['cca', 'none'])('a VM of type %s', (isolation) => {
  it('can be killed twice, at any time', async () => {
    const { vm } = await launch(isolation, loop);
    const boot = await vm.start(spin);
    await Promise.all([vm.kill(), vm.kill()]);
    expect(await boot.halted).toEqual({ reason: 'stopped' });
    await vm.kill();
    const { vm: unused } = await launch(isolation, loop);
    await unused.kill();
  });

  it('ends the previous boot when it is started again', async () => {
    const { vm, serial } = await launch(isolation, loop);
    const first = await vm.start(spin);
    await serial.waitFor('spinning');
    const second = await vm.start(spin);
    expect(await first.halted).toEqual({ reason: 'stopped' });
    await serial.waitFor('spinning');
    await vm.stop(AbortSignal.timeout(HANGS));
    expect(await second.halted).toEqual({ reason: 'stopped' });
    expect(first.instructions?.()).toBeGreaterThan(0);
    await vm.kill();
  });

  it('reports the PC when it times out, and only a reason when it is stopped', async () => {
    const { vm, serial, end } = await launch(isolation, loop);
    const boot = await vm.start(spin);
    await serial.waitFor('spinning');
    // Well into the loop: the guest prints the line before its print function returns.
    const printed = boot.instructions?.() ?? 0;
    while ((boot.instructions?.() ?? Infinity) < printed + 10_000) await setImmediate();
    end.end({ reason: 'timeout', message: 'five seconds have passed' });
    expect(await boot.halted).toMatchObject({
      reason: 'timeout',
      message: expect.stringMatching(/^five seconds have passed; it was at 0x/) as string,
      symbol: { name: 'spin_for_ever' },
    });
    await vm.kill();

    const { vm: other, end: giveUp } = await launch(isolation, loop);
    const given = await other.start(spin);
    giveUp.end({ reason: 'stopped' });
    expect(await given.halted).toEqual({ reason: 'stopped' });
    await other.kill();
  });

  it('keeps its registers and exits after kill, whatever the next VM on the same machine does', async () => {
    const { vm, serial } = await launch(isolation, loop);
    await vm.start(spin);
    await serial.waitFor('spinning');
    await vm.stop(AbortSignal.timeout(HANGS));
    const registers = (): unknown => vm.planes[1]?.registers() ?? vm.registers?.();
    const before = registers();
    await vm.kill();
    const { vm: other } = await launch(isolation, tmk('hello'));
    const boot = await other.start({ testIndex: 0 });
    await boot.halted;
    expect(registers()).toEqual(before);
    if (vm.planes[1] !== undefined) {
      expect(vm.planes[1].exitCount).toBeGreaterThan(0);
      expect(() => vm.planes[1]?.sysreg('SCTLR_EL1')).toThrow(expect.objectContaining({ code: 'vm-closed' }));
    }
    await other.kill();
  });
});
