import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { modelParameters, type Parameter } from './model-parameters.ts';

const model = fileURLToPath(new URL('../../tests/stand-ins/fvp/FVP_Base_RevC-2xAEMvA', import.meta.url));

let folder: string;
let parameters: readonly Parameter[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-parameters-'));
  const file = (name: string): string => {
    writeFileSync(join(folder, name), Buffer.alloc(4096));
    return join(folder, name);
  };
  parameters = modelParameters({
    bl1: file('bl1.bin'),
    fip: file('fip.bin'),
    semihosting: folder,
    rootfs: file('rootfs.ext4'),
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the stand-in, which rejects unknown parameters, and ends it when its terminals listen. */
async function start(given: readonly Parameter[]): Promise<{ readonly listens: boolean; readonly printed: string }> {
  const process_ = spawn(
    model,
    given.flatMap(([name, value]) => ['-C', `${name}=${value}`]),
  );
  let printed = '';
  for (const stream of [process_.stdout, process_.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      printed += bytes.toString();
      if (printed.match(/Listening for serial connection on port/g)?.length === 4) process_.kill('SIGKILL');
    });
  }
  await new Promise((resolve) => process_.once('close', resolve));
  return { listens: process_.signalCode === 'SIGKILL', printed };
}

it('starts the model, which accepts each of them', async () => {
  const { listens, printed } = await start(parameters);
  expect(printed).not.toMatch(/not found/);
  expect(listens).toBe(true);
});

it.each(['cluster0.has_brbe_v2', 'cluster2.NUM_CORES', 'bp.network', 'sve.has_sme'])(
  'detects %s, which no model has',
  async (name) => {
    const { listens, printed } = await start([...parameters, [name, '1']]);
    expect(printed).toContain(`Parameter '${name}' not found`);
    expect(listens).toBe(false);
  },
);

it('lists each parameter once, with the same ones for both clusters', () => {
  const names = parameters.map(([name]) => name);
  expect(new Set(names).size).toBe(names.length);
  const of = (cluster: string): readonly string[] =>
    parameters.flatMap(([name, value]) =>
      name.startsWith(`${cluster}.`) && !name.includes('semihosting') ? [`${name.slice(cluster.length)}=${value}`] : [],
    );
  expect(of('cluster1')).toEqual(of('cluster0'));
});

it('agrees with the configuration of the pinned shrinkwrap', () => {
  const values = new Map(parameters);
  const agreed = {
    ...{ has_brbe: '1', brbe_disable_recording: '1', 'sve.has_sme': '1' },
  };
  for (const [name, value] of Object.entries(agreed)) expect(values.get(`cluster1.${name}`)).toBe(value);
  expect(values.get('bp.smsc_91c111.enabled')).toBe('1');
  expect(values.get('bp.hostbridge.userNetworking')).toBe('1');
});
