import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Supervisor } from './supervisor.ts';
import { usePrivateState } from './testing.ts';

const home = usePrivateState();
let containers: string;
let tests = 0;

beforeEach(() => {
  const bin = join(home.folder, `bin-${tests}`);
  containers = join(home.folder, `containers-${tests++}`);
  mkdirSync(bin);
  mkdirSync(containers);
  for (const name of ['docker', 'podman']) {
    copyFileSync(fileURLToPath(new URL('fixtures/docker', import.meta.url)), join(bin, name));
  }
  vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`);
  vi.stubEnv('CONTAINERS', containers);
});

afterEach(async () => {
  vi.stubEnv('CONTAINERS_BROKEN', undefined);
  await Supervisor.current()?.close();
});

function start(id: string, label: string): void {
  writeFileSync(join(containers, id), `${label}\n`);
}

describe('containers', () => {
  it('are stopped, then removed, by their label only', async () => {
    const supervisor = await Supervisor.open();
    const mine = await supervisor.container({ runtime: 'podman' });
    start('0a11', mine.label);
    start('5ad0', mine.label);
    start('0ff0', 'petri-vm.owner=somebody');
    await mine.end();
    expect(readdirSync(containers)).toEqual(['0ff0']);
    const calls = readFileSync(`${containers}.log`, 'utf8');
    expect(calls).toMatch(/^stop --time 3 0a11 5ad0\nrm --force 0a11 5ad0$/m);
    await mine.end();
    expect(readFileSync(`${containers}.log`, 'utf8')).toBe(calls);
  });

  it('are ended with the supervisor', async () => {
    const supervisor = await Supervisor.open();
    const { label } = await supervisor.container({ runtime: 'docker', label: 'petri-vm.run=1' });
    expect(label).toBe('petri-vm.run=1');
    start('0a11', label);
    await supervisor.close();
    expect(readdirSync(containers)).toEqual([]);
  });

  it('that cannot be listed are an error with a remedy', async () => {
    const supervisor = await Supervisor.open();
    const mine = await supervisor.container({ runtime: 'docker', label: 'petri-vm.run=2' });
    vi.stubEnv('CONTAINERS_BROKEN', '1');
    await expect(mine.end()).rejects.toThrow(
      /label petri-vm\.run=2 may still exist: docker: Cannot connect to the daemon[^]*docker ps --all --filter label=petri-vm\.run=2/,
    );
    vi.stubEnv('CONTAINERS_BROKEN', undefined);
    await mine.end();
  });

  it.each(['openvmm.run=1', 'petri-vm', 'petri-vm.run=a b', 'petri-vm.run=$(x)'])(
    'cannot have the label %s',
    async (label) => {
      const supervisor = await Supervisor.open();
      await expect(supervisor.container({ runtime: 'docker', label })).rejects.toMatchObject({
        code: 'invalid-option',
      });
    },
  );
});
