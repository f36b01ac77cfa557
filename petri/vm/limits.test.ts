import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackendLimits } from '../contract/index.ts';
import { launchVm, resolveVmConfig, type VmOptions } from './index.ts';
import { namedTmk, scriptedBackend, specFor } from './testing.ts';

const MIB = 2 ** 20;
const limits: BackendLimits = { minMemory: 64 * MIB, maxMemory: 1024 * MIB, maxVcpus: 2, maxPlanes: 1 };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'petri-limits-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('a VM is made', () => {
  it.each<[VmOptions, string]>([
    [{ memory: '32M' }, 'makes a VM of 32 MiB, backend .scripted. needs at least 64 MiB'],
    [{ memory: '2G' }, 'needs 2048 MiB of memory, backend .scripted. gives at most 1024 MiB'],
    [{ vcpus: 3 }, 'needs 3 vCPUs, backend .scripted. gives at most 2'],
    [{ planes: 2 }, 'needs 2 auxiliary planes, backend .scripted. gives at most 1'],
  ])('of no size that is beyond the limits: %j', async (options, why) => {
    const backend = scriptedBackend(() => undefined);
    const spec = { ...specFor(namedTmk('a')), config: resolveVmConfig(options) };
    await expect(launchVm(backend, spec, { directory, features: [], limits })).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringMatching(why) as string,
    });
    expect(backend.calls).toEqual([]);
  });

  it('of no configuration that no test could ask for', async () => {
    const backend = scriptedBackend(() => undefined);
    const spec = specFor(namedTmk('a'));
    const odd = { ...spec, config: { ...spec.config, memory: 5000 } };
    await expect(launchVm(backend, odd, { directory, features: [] })).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('memory is 5000') as string,
    });
    expect(backend.calls).toEqual([]);
  });

  it('of no configuration that its backend refuses', async () => {
    const backend = { ...scriptedBackend(() => undefined), refuses: () => 'it has no such clock' };
    await expect(launchVm(backend, specFor(namedTmk('a')), { directory, features: [], limits })).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('it has no such clock') as string,
    });
    expect(backend.calls).toEqual([]);
  });

  it('of a size at the limits', async () => {
    const backend = scriptedBackend(() => undefined);
    const spec = { ...specFor(namedTmk('a')), config: resolveVmConfig({ memory: '1G', vcpus: 2 }) };
    await using _vm = await launchVm(backend, spec, { directory, features: [], limits });
    expect(backend.calls).toEqual(['launch']);
  });
});
