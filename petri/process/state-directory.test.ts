import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { makePrivateFolder, machineFile, stateDirectory, stateFolders, thisMachine } from './state-directory.ts';
import { usePrivateState } from './testing.ts';

const home = usePrivateState();

afterEach(() => {
  vi.stubEnv('PETRI_STATE_DIR', join(home.folder, 'state'));
  vi.stubEnv('XDG_STATE_HOME', undefined);
});

describe('the state directory', () => {
  it('is where the environment says, or as the XDG specification does', () => {
    expect(stateDirectory()).toBe(join(home.folder, 'state'));
    vi.stubEnv('PETRI_STATE_DIR', 'relative');
    expect(() => stateDirectory()).toThrow('not an absolute path');
    vi.stubEnv('PETRI_STATE_DIR', '');
    expect(stateDirectory()).toBe(join(homedir(), '.local', 'state', 'petri-vm'));
    vi.stubEnv('XDG_STATE_HOME', '/xdg');
    expect(stateDirectory()).toBe('/xdg/petri-vm');
    vi.stubEnv('XDG_STATE_HOME', 'relative');
    expect(stateDirectory()).toBe(join(homedir(), '.local', 'state', 'petri-vm'));
  });

  it('can be read by nobody else, and says which machine it is for', () => {
    const { root, ledgers, slots } = stateFolders();
    for (const path of [stateDirectory(), root, ledgers, slots]) expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(join(root, machineFile), 'utf8'))).toEqual(thisMachine());
  });

  it('is made private, or refused', () => {
    const open = join(home.folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    makePrivateFolder(open);
    expect(statSync(open).mode & 0o777).toBe(0o700);
    const file = join(home.folder, 'file');
    writeFileSync(file, '');
    expect(() => makePrivateFolder(file)).toThrow(/cannot be used: .*[^]*PETRI_STATE_DIR/);
    expect(() => makePrivateFolder(join(file, 'below'))).toThrow('cannot be used');
  });
});
