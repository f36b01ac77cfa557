import { existsSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { optionalTool } from '../../unit-test/optional-tool.ts';
import { inspect } from './debugfs.ts';
import { checkImage, createImage, extractFile } from './index.ts';
import { Workspace } from './workspace.ts';

const MIB = 2 ** 20;

describe.skipIf(optionalTool('mke2fs', 'e2fsprogs') === undefined)('an image of a folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'petri-image-'));
    mkdirSync(join(folder, 'tree', 'bin'), { recursive: true });
    writeFileSync(join(folder, 'tree', 'bin', 'program'), 'content', { mode: 0o755 });
    writeFileSync(join(folder, 'tree', 'bin', '['), '', { mode: 0o644 });
    symlinkSync('/bin/program', join(folder, 'tree', 'init'));
    // Without root the files already belong to an ordinary user.
    if (process.getuid?.() === 0) lchownSync(join(folder, 'tree', 'init'), 1234, 1234);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has its files, with their modes, as files of root', async () => {
    const target = join(folder, 'image');
    await createImage({ folder: join(folder, 'tree'), target, size: 16 * MIB });
    await checkImage(target);
    await extractFile(target, '/bin/program', join(folder, 'out'));
    const paths = ['/bin', '/bin/program', '/bin/[', '/init'];
    const found = await Workspace.with(target, undefined, (workspace) => inspect(workspace, target, paths));
    const root = { user: 0, group: 0 };
    expect(found.get('/bin/program')).toMatchObject({ ...root, type: 'regular', mode: 0o755, size: 7 });
    expect(found.get('/bin/[')).toMatchObject({ ...root, mode: 0o644 });
    expect(found.get('/init')).toMatchObject({ ...root, type: 'symlink' });
    expect(found.get('/bin')).toMatchObject({ ...root, type: 'directory' });
  });

  it('leaves only the old image if the folder does not fit', async () => {
    const target = join(folder, 'image');
    writeFileSync(target, 'old');
    writeFileSync(join(folder, 'tree', 'large'), Buffer.alloc(6 * MIB, 1));
    const attempt = createImage({ folder: join(folder, 'tree'), target, size: 4 * MIB });
    await expect(attempt).rejects.toMatchObject({ code: 'tool-failed' });
    expect(existsSync(`${target}.new`)).toBe(false);
    await expect(checkImage(target)).rejects.toMatchObject({ code: 'image-invalid' });
  });
});
