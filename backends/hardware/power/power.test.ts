import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { switchBoard } from './power.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'power-'));
  vi.stubEnv('PETRI_STATE_DIR', join(folder, 'state'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

describe('switchBoard', () => {
  it('runs the commands of the hosts file, and `off` and `on` for a missing cycle', async () => {
    const config = { kind: 'command' as const, on: ['echo', 'now on'], off: ['echo', 'now off'], timeout: 600 };
    expect(await switchBoard('board', config, 'on')).toBe('now on');
    expect(await switchBoard('board', config, 'cycle')).toBe('now off\nnow on');
    await expect(switchBoard('board', config, 'status')).rejects.toMatchObject({ code: 'power-failed' });
  });

  it('reports how a command failed, and does not wait forever', async () => {
    const base = { kind: 'command' as const, off: ['true'], timeout: 600 };
    await expect(switchBoard('board', { ...base, on: ['sh', '-c', 'echo jammed >&2; exit 3'] }, 'on')).rejects.toThrow(
      /board cannot be switched: sh exited with code 3: jammed/,
    );
    await expect(switchBoard('board', { ...base, on: ['sleep', '1000'], timeout: 1 }, 'on')).rejects.toThrow(
      'within 1 s',
    );
  });

  it('implements exactly the kinds that a hosts file may have', async () => {
    await expect(
      switchBoard('board', { kind: 'labgrid', timeout: 600 }, 'on', { kind: 'file', folder: '/var/tmp', expires: 60 }),
    ).rejects.toThrow("its lease is not of labgrid's");
  });
});
