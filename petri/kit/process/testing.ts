import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, vi } from 'vitest';

export interface PrivateState {
  /** Below it are `state` and `tmp`, which are PETRI_STATE_DIR and TMPDIR. */
  readonly folder: string;
}

/** For unit tests: lets the tests of a file have a state directory and a temporary folder of their own. */
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
