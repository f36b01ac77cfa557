import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { makeTemporaryFolder, removeTemporaryFolder, temporaryName } from './temporary-folder.ts';
import { usePrivateState } from './testing.ts';

const home = usePrivateState();

describe('a temporary folder', () => {
  it('is private, named for its purpose, and removed with its content', async () => {
    const path = temporaryName('a/model');
    expect(path.startsWith(join(home.folder, 'tmp', 'petri-vm-a-model-'))).toBe(true);
    expect(existsSync(path)).toBe(false);
    makeTemporaryFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    mkdirSync(join(path, 'a', 'b'), { recursive: true });
    writeFileSync(join(path, 'a', 'b', 'c'), '');
    chmodSync(join(path, 'a', 'b'), 0);
    chmodSync(join(path, 'a'), 0o500);
    await removeTemporaryFolder(path);
    expect(existsSync(path)).toBe(false);
    await removeTemporaryFolder(path);
  });

  it('is not removed if it is elsewhere, has another name, is a link or is a file', async () => {
    const precious = join(home.folder, 'petri-vm-precious');
    const named = join(home.folder, 'tmp', 'precious');
    const link = join(home.folder, 'tmp', 'petri-vm-link');
    const file = join(home.folder, 'tmp', 'petri-vm-file');
    mkdirSync(precious);
    mkdirSync(named);
    symlinkSync(precious, link);
    writeFileSync(file, '');
    const winding = `${home.folder}/tmp/petri-vm-x/../../petri-vm-precious`;
    for (const path of [precious, named, link, file, winding]) {
      await expect(removeTemporaryFolder(path)).rejects.toThrow('was not removed');
      expect(existsSync(path) || path === winding).toBe(true);
    }
    expect(existsSync(precious)).toBe(true);
  });
});
