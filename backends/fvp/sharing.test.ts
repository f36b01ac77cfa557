import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Supervisor } from '../../petri/kit/process/index.ts';
import { tmk } from '../../petri/payload/index.ts';
import { HANGS } from '../../petri/unit-test/hangs.ts';
import { launchVm, resolveVmConfig, type Vm, type VmOptions } from '../../petri/vm/index.ts';
import type { VmSpec } from '../../petri/contract/index.ts';
import { backend } from './index.ts';
import { installStandIn, standInWorks } from './testing/stand-in.ts';

let folder: string;
let number = 0;
const vms: Vm[] = [];

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'petri-sharing-')));
  if (standInWorks()) installStandIn(join(folder, 'stack'));
  vi.stubEnv('PETRI_CCA_ROOT', join(folder, 'stack'));
  vi.stubEnv('PETRI_STATE_DIR', join(folder, 'state'));
  vi.stubEnv('PETRI_FVP_MODELS', '1');
});

afterEach(async () => {
  for (const vm of vms.splice(0)) await vm.dispose();
  await backend.close?.();
});

afterAll(async () => {
  await Supervisor.current()?.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

interface Wish extends VmOptions {
  readonly payload?: string;
  readonly test?: string;
  readonly machine?: VmSpec['machine'];
}

async function launch({ payload = 'hello', test, machine = 'shared', ...options }: Wish = {}): Promise<Vm> {
  const vm = await launchVm(
    backend,
    { isolation: 'cca', payload: tmk(payload), config: resolveVmConfig(options), machine },
    {
      directory: join(folder, `vm-${++number}`),
      features: ['tmk', 'tmk.events', 'reset'],
      ...(test === undefined ? {} : { test }),
    },
  );
  vms.push(vm);
  return vm;
}

/** The folder of the model on which a VM ran. */
async function modelOf(vm: Vm): Promise<string> {
  await vm.halted;
  await vm.dispose();
  const record = JSON.parse(readFileSync(join(vm.directory, 'vm.json'), 'utf8')) as { facts: Record<string, string> };
  return record.facts['session.logs'] ?? '';
}

describe.skipIf(!standInWorks())('one model for many VMs', () => {
  it('is booted once, and serves realms of several kinds one after another', async () => {
    const first = await launch();
    const second = await launch({ measurementAlgorithm: 'sha-512' });
    const third = await launch({ payload: 'verdicts', test: 'passes' });
    for (const vm of [first, second, third]) {
      expect(await vm.halted).toEqual({ reason: 'complete', success: true });
    }
    const models = [await modelOf(first), await modelOf(second), await modelOf(third)];
    expect(models[0]).toContain(first.directory);
    expect(new Set(models).size).toBe(1);
  });

  it('is replaced for a test that asks for a fresh one', async () => {
    const first = await modelOf(await launch());
    const fresh = await modelOf(await launch({ machine: 'fresh' }));
    const after = await modelOf(await launch());
    expect(fresh).not.toBe(first);
    expect(after).toBe(fresh);
  });

  it('stays in use after a VM was killed in the middle of an endless test', async () => {
    const endless = await launch({ payload: 'loop', test: 'spin' });
    await endless.serial.waitFor('spinning');
    await endless.kill();
    expect(await endless.halted).toEqual({ reason: 'stopped' });
    const model = await modelOf(endless);
    expect(await modelOf(await launch())).toBe(model);
  });

  it('queues VMs, and one that gives up does not affect the order of the others', async () => {
    const endless = await launch({ payload: 'loop', test: 'spin' });
    await endless.serial.waitFor('spinning');
    const impatient = await launch();
    const patient = await launch();
    const given = impatient.halted.catch((error: unknown) => String(error));
    const result = patient.halted;
    await impatient.kill();
    expect(await given).toMatch(/ended|stopped|abort/i);
    expect(endless.haltReason).toBeUndefined();
    await endless.stop({ timeout: HANGS });
    expect(await endless.halted).toEqual({ reason: 'stopped' });
    expect(await result).toEqual({ reason: 'complete', success: true });
  });

  it('runs a payload that was made after it was booted', async () => {
    await modelOf(await launch());
    const path = join(folder, 'other.elf');
    copyFileSync(tmk('hello').path, path);
    appendFileSync(path, 'makes it another file');
    const vm = await launch({ payload: path });
    expect(await vm.halted).toEqual({ reason: 'complete', success: true });
    expect(vm.serial.transcript).toBe('running test boot\nhello world\ntest boot completed\n');
  });
});
