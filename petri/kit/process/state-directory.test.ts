import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { stateHome } from '../../homes/index.ts';
import { makePrivateFolder, machineFile, stateFolders, thisMachine } from './state-directory.ts';
import { usePrivateState } from './testing.ts';

const home = usePrivateState();

describe('the state directory', () => {
  it('can be read by nobody else, and names its machine', () => {
    const { root, ledgers, slots } = stateFolders();
    for (const path of [stateHome().path, root, ledgers, slots]) expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(join(root, machineFile), 'utf8'))).toEqual(thisMachine());
  });

  it('is made private, or rejected', () => {
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
