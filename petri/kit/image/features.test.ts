import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { optionalTool } from '../../unit-test/optional-tool.ts';
import { checkImage, deriveImage, extractFile, growImage, injectFiles } from './index.ts';
import { readSuperblock } from './superblock.ts';
import { debugfs, environment, makeImage } from './testing.ts';

const MIB = 1024 * 1024;
process.env['PATH'] = environment.PATH;
const mke2fs = optionalTool('mke2fs', 'e2fsprogs');

let folder: string;
let image: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-features-'));
  image = join(folder, 'image');
  writeFileSync(image, '');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** An image of 16 MiB with files of the given lengths, each named by its length. */
function imageWith(features: string, ...lengths: readonly number[]): Map<string, Buffer> {
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  const files = new Map(lengths.map((length) => [`/${String(length)}`, randomBytes(length)]));
  for (const [path, content] of files) writeFileSync(join(tree, path), content);
  makeImage(image, 16 * MIB, '-t', 'ext4', '-I', '256', '-O', features, '-d', tree);
  return files;
}

async function expectFiles(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const target = join(folder, 'extracted');
  for (const [path, content] of files) {
    expect(await extractFile(image, path, target)).toBe(content.length);
    expect(readFileSync(target).equals(content)).toBe(true);
  }
}

function fsck(): number | null {
  return spawnSync('e2fsck', ['-fn', image], { env: environment, stdio: 'ignore' }).status;
}

const growing = [
  // Features of mke2fs 1.47 that are not on by default, as far as they can be combined.
  'inline_data,quota,project,metadata_csum_seed,encrypt,casefold,verity,stable_inodes,ea_inode,large_dir,orphan_file',
  'fast_commit,mmp,meta_bg,^resize_inode,^64bit,^metadata_csum,uninit_bg',
  '^has_journal,^extent,^64bit,^flex_bg,^dir_index,^huge_file,^large_file,^dir_nlink,^extra_isize,^ext_attr,^filetype',
];

describe.skipIf(mke2fs === undefined)('an image with features', () => {
  it.each(growing)('is filled, grown and read: %s', async (features) => {
    const files = imageWith(features, 0, 5, 60, 61, 150, 5000);
    await expectFiles(files);
    const added = new Map([
      ['/5', Buffer.from('new')],
      ['/a/b/small', Buffer.from('hello')],
      ['/a/b/none', Buffer.alloc(0)],
      ['/a/b/big', randomBytes(16 * MIB)],
    ]);
    await injectFiles(
      image,
      [...added].map(([path, source]) => ({ path, source })),
    );
    for (const [path, content] of added) files.set(path, content);
    await expectFiles(files);
    expect(fsck()).toBe(0);
    expect(await growImage(image, 96 * MIB)).toBe(96 * MIB);
    await checkImage(image);
    expect([...(await readSuperblock(image)).features]).toEqual(
      expect.arrayContaining(features.split(',').filter((name) => !name.startsWith('^'))),
    );
  });

  it.each(['bigalloc', 'sparse_super2'])(
    'is filled, and rejected before it is changed if it would have to grow: %s',
    async (feature) => {
      const files = imageWith(`${feature},quota`, 5, 5000);
      for (let at = 0; at < 40; at += 1) files.set(`/x/${String(at)}`, Buffer.from(String(at)));
      const sources = [...files].map(([path, source]) => ({ path, source }));
      await injectFiles(image, sources, { spare: 0 });
      await expectFiles(new Map([...files].slice(0, 4)));
      expect(fsck()).toBe(0);

      const before = readFileSync(image);
      const refusal = { code: 'image-invalid', message: expect.stringContaining(`safely with ${feature}`) as string };
      const big = [{ path: '/big', source: randomBytes(16 * MIB) }];
      await expect(injectFiles(image, big)).rejects.toMatchObject(refusal);
      await expect(growImage(image, 32 * MIB)).rejects.toMatchObject(refusal);
      expect(readFileSync(image).equals(before)).toBe(true);
    },
  );

  it.each([
    ['shared_blocks', 'e2fsck -fp -E unshare_blocks'],
    ['read-only', 'tune2fs -O ^read-only'],
  ])('is read, but changes are rejected: %s', async (feature, remedy) => {
    const files = imageWith('none', 5000);
    debugfs(image, `feature ${feature}`);
    await expectFiles(files);
    const refusal = { code: 'image-invalid', remedy: expect.stringContaining(remedy) as string };
    const change = [{ path: '/x', source: Buffer.from('x') }];
    const target = join(folder, 'derived');
    await expect(injectFiles(image, change)).rejects.toMatchObject(refusal);
    await expect(deriveImage({ source: image, target, files: change })).rejects.toMatchObject(refusal);
    await expect(growImage(image, 32 * MIB)).rejects.toMatchObject(refusal);
  });

  it.each([
    ['compression', 0x60, 0, 'compression'],
    ['has_snapshot', 0x64, 7, 'has_snapshot'],
    ['a future feature', 0x60, 29, 'FEATURE_I29'],
    ['the bit without a name', 0x5c, 31, 'FEATURE_C31'],
  ])('is rejected with the name of the feature: %s', async (_, offset, bit, name) => {
    imageWith('none', 5000);
    const bytes = readFileSync(image);
    bytes.writeUInt32LE((bytes.readUInt32LE(1024 + offset) | (1 << bit)) >>> 0, 1024 + offset);
    writeFileSync(image, bytes);
    const refusal = { code: 'image-invalid', message: expect.stringContaining(`here: ${name}`) as string };
    await expect(extractFile(image, '/5000', join(folder, 'out'))).rejects.toMatchObject(refusal);
    await expect(injectFiles(image, [])).rejects.toMatchObject(refusal);
    await expect(checkImage(image)).rejects.toMatchObject(refusal);
    expect(readFileSync(image).equals(bytes)).toBe(true);
  });

  it('is rejected if it is a journal, or its journal is on another device', async () => {
    const journal = join(folder, 'journal');
    writeFileSync(journal, '');
    makeImage(journal, 8 * MIB, '-O', 'journal_dev');
    await expect(checkImage(journal)).rejects.toThrow('the journal of another file system (journal_dev)');

    const files = imageWith('^metadata_csum', 5000);
    const bytes = readFileSync(image);
    bytes.writeUInt32LE(0, 1024 + 0xe0); // s_journal_inum
    writeFileSync(image, bytes);
    await expect(injectFiles(image, [{ path: '/x', source: Buffer.from('x') }])).rejects.toThrow('on another device');
    await expect(checkImage(image)).rejects.toThrow('on another device');
    await expectFiles(files);
  });

  it('is not read while its journal holds newer content than its files', async () => {
    imageWith('dir_index', 5000);
    const block = /\(0(?:-\d+)?\):(\d+)/.exec(debugfs(image, 'stat /5000'))?.[1] ?? '';
    writeFileSync(join(folder, 'block'), 'y'.repeat(1024));
    debugfs(image, 'jo', `jw -b ${block} ${join(folder, 'block')}`, 'jc');
    const target = join(folder, 'out');
    const refusal = { code: 'image-invalid', remedy: expect.stringContaining('e2fsck -fp') as string };
    await expect(extractFile(image, '/5000', target)).rejects.toMatchObject(refusal);
    await expect(checkImage(image)).rejects.toMatchObject(refusal);
    expect(spawnSync('e2fsck', ['-fp', image], { env: environment, stdio: 'ignore' }).status).toBeLessThan(2);
    await extractFile(image, '/5000', target);
    expect(readFileSync(target, 'latin1')).toContain('yyyy');
  });

  it.each([
    ['encrypt', 0x800, 'is encrypted'],
    ['casefold', 0x4000_0000, 'the same in upper and lower case'],
  ])('is rejected if only a kernel can interpret a folder: %s', async (feature, flag, why) => {
    imageWith(feature, 5000);
    debugfs(image, 'mkdir /folder', 'write /dev/null /folder/x', `sif /folder flags ${String(0x80000 | flag)}`);
    const before = readFileSync(image);
    const change = [{ path: '/folder/y', source: Buffer.from('y') }];
    // A kernel would add the encryption policy; without it e2fsck already rejects the folder.
    if (feature === 'casefold') await expect(injectFiles(image, change)).rejects.toThrow(why);
    else await expect(extractFile(image, '/folder/x', join(folder, 'out'))).rejects.toThrow(why);
    expect(
      readFileSync(image)
        .subarray(1 * MIB)
        .equals(before.subarray(1 * MIB)),
    ).toBe(true);
    if (feature === 'casefold') await injectFiles(image, [{ path: '/y', source: Buffer.from('y') }]);
  });

  it('yields no file that is shorter or longer than its inode says', async () => {
    imageWith('^metadata_csum', 5000);
    const extents = debugfs(image, 'stat /5000');
    expect(extents).toContain('Size: 5000');
    execFileSync('debugfs', ['-w', '-R', 'sif /5000 flags 0x10080000', image], { env: environment, stdio: 'ignore' });
    await expect(extractFile(image, '/5000', join(folder, 'out'))).rejects.toThrow();
  });
});
