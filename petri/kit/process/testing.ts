import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, vi } from 'vitest';

// For tests that look at the processes of a run from outside.
export { procTable } from './process-table.ts';
export { REAPER_VARIABLE } from './token.ts';

export interface PrivateState {
  /** Contains `state` and `tmp`, which are PETRI_STATE_DIR and TMPDIR. */
  readonly folder: string;
}

/** For unit tests: gives the tests of a file a state directory and a temporary folder of their own. */
export function usePrivateState(): PrivateState {
  const state = { folder: '' };
  beforeAll(() => {
    state.folder = realpathSync(mkdtempSync(join(tmpdir(), 'petri-process-')));
    mkdirSync(join(state.folder, 'tmp'));
    vi.stubEnv('PETRI_STATE_DIR', join(state.folder, 'state'));
    vi.stubEnv('TMPDIR', join(state.folder, 'tmp'));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(state.folder, { recursive: true, force: true });
  });
  return state;
}
