import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { packageRoot } from '../package-root.ts';

const program = fileURLToPath(new URL('bin/petri.mjs', packageRoot));

describe('petri hosts', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'petri-hosts-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const petri = (...args: readonly string[]) =>
    spawnSync(process.execPath, [program, 'hosts', ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, PETRI_HOSTS: '', PETRI_STATE_DIR: join(folder, 'state'), NO_COLOR: '1' },
    });
  const describeHost = (extra: object = {}): void => {
    writeFileSync(join(folder, 'key'), 'not a key');
    const host = {
      name: 'board-1',
      address: '127.0.0.1',
      port: 1,
      user: 'lab',
      identityFile: join(folder, 'key'),
      tags: ['cca'],
      launchers: { none: { kind: 'qemu' } },
      ...extra,
    };
    writeFileSync(join(folder, 'petri.hosts.yaml'), JSON.stringify({ version: 1, hosts: [host] }));
  };

  it('reports how to describe hosts if there is no hosts file', () => {
    const { status, stderr } = petri();
    expect(status).toBe(1);
    expect(stderr).toContain('petri.hosts.yaml cannot be read');
  });

  it('lists an unreachable host, with the reason', () => {
    describeHost();
    const { status, stdout } = petri();
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^board-1 {2}not reached {2}lab@127\.0\.0\.1:1 {2}cca\n {2}missing: the key \S+ cannot be used/,
    );
    expect(JSON.parse(petri('--json').stdout)).toMatchObject([{ name: 'board-1', tags: ['cca'], problem: {} }]);
  });

  it('switches power as set in the hosts file', () => {
    describeHost({ power: { kind: 'command', on: ['echo', 'is on'], off: ['false'] } });
    expect(petri('power', 'board-1', 'on').stdout).toBe('is on\n');
    const off = petri('power', 'board-1', 'off');
    expect(off.status).toBe(1);
    expect(off.stderr).toContain('the power of board-1 cannot be switched: false exited with code 1');
  });

  it.each([
    [['reboot'], /no action 'reboot'/],
    [['power', 'board-1', 'sideways'], /on, off, cycle or status/],
    [['power', 'board-2', 'on'], /no host 'board-2'[^]*the hosts are board-1/],
    [['release'], /takes the name of one host/],
  ])('refuses %j', (args, message) => {
    describeHost();
    const { status, stderr } = petri(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
