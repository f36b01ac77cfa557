import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, vi } from 'vitest';

import { until } from '../../unit-test/until.ts';
import { procTable, systemProcessTable } from './process-table.ts';
import { Supervisor } from './supervisor.ts';
import { isReaper } from './token.ts';

// For tests that look at the processes of a run from outside.
export { procTable } from './process-table.ts';
export { REAPER_VARIABLE } from './token.ts';

export interface PrivateState {
  /** Contains `state` and `tmp`, which are PETRI_STATE_DIR and TMPDIR. */
  readonly folder: string;
}

/**
 * For unit tests: gives the tests of a file a state directory and a temporary folder of their own. What they started
 * there is ended after the tests, also after those that failed.
 */
export function usePrivateState(): PrivateState {
  const state = { folder: '' };
  beforeAll(() => {
    state.folder = realpathSync(mkdtempSync(join(tmpdir(), 'petri-process-')));
    mkdirSync(join(state.folder, 'tmp'));
    vi.stubEnv('PETRI_STATE_DIR', join(state.folder, 'state'));
    vi.stubEnv('TMPDIR', join(state.folder, 'tmp'));
  });
  afterAll(async () => {
    await Supervisor.current()?.close();
    vi.unstubAllEnvs();
    await endAllIn(join(state.folder, 'state'));
    rmSync(state.folder, { recursive: true, force: true });
  });
  return state;
}

/**
 * Kills all processes that have a state directory and waits for their reapers, which need the ledgers in it: they may
 * have been told of the end of a process just now.
 */
async function endAllIn(stateDirectory: string): Promise<void> {
  if (systemProcessTable() !== procTable) return;
  const mark = `PETRI_STATE_DIR=${stateDirectory}`;
  await until(() => {
    const left = procTable.list().flatMap(({ pid }) => {
      const environment = procTable.environment(pid);
      return environment?.split('\0').includes(mark) === true ? [{ pid, environment }] : [];
    });
    for (const { pid, environment } of left) if (!isReaper(environment)) kill(pid);
    return left.length === 0;
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
