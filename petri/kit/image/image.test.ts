import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PetriError } from '../../errors.ts';
import { optionalTool } from '../../unit-test/optional-tool.ts';
import {
  checkImage,
  copyImage,
  deriveImage,
  extractFile,
  growImage,
  injectFiles,
  probeImageTools,
  type InjectedFile,
} from './index.ts';
import { debugfs, environment, makeImage } from './testing.ts';

const MIB = 1024 * 1024;
process.env['PATH'] = environment.PATH;
const mke2fs = optionalTool('mke2fs', 'e2fsprogs');

let folder: string;
let image: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-image-'));
  image = join(folder, 'image');
  if (mke2fs === undefined) return;
  writeFileSync(image, '');
  makeImage(image, 32 * MIB, '-t', 'ext4');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function failureOf(promise: Promise<unknown>): Promise<PetriError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PetriError)) throw new Error(`expected a PetriError, got ${String(error)}`);
  return error;
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function extracted(from: string, path: string): Promise<Buffer> {
  const target = join(folder, 'extracted');
  await extractFile(from, path, target);
  return readFileSync(target);
}

function fsck(path: string): void {
  execFileSync('e2fsck', ['-fn', path], { env: environment, stdio: 'ignore' });
}

describe.skipIf(mke2fs === undefined)('injectFiles', () => {
  it('writes files with owner, mode and content, and creates missing folders', async () => {
    const content = randomBytes(300_000);
    const reports = await injectFiles(image, [
      { path: '/cca/lkvm', source: file('lkvm', content), mode: 0o755 },
      { path: '/cca/a/b/nonce', source: Buffer.from('0123\n'), mode: 0o600 },
      { path: '/empty', source: new Uint8Array() },
    ]);
    expect(reports.map(({ path, size }) => [path, size])).toEqual([
      ['/cca/lkvm', 300_000],
      ['/cca/a/b/nonce', 5],
      ['/empty', 0],
    ]);
    expect(debugfs(image, 'ls -p /cca')).toMatch(/^\/\d+\/100755\/0\/0\/lkvm\/300000\/$/m);
    expect(debugfs(image, 'ls -p /cca')).toMatch(/^\/\d+\/040755\/0\/0\/a\/\/$/m);
    expect(debugfs(image, 'ls -p /cca/a/b')).toMatch(/^\/\d+\/100600\/0\/0\/nonce\/5\/$/m);
    expect(debugfs(image, 'ls -p /')).toMatch(/^\/\d+\/100644\/0\/0\/empty\/0\/$/m);
    expect((await extracted(image, '/cca/lkvm')).equals(content)).toBe(true);
    expect(await extracted(image, '/empty')).toHaveLength(0);
    fsck(image);
  });

  it('accepts any file name here and in the image', async () => {
    const names = [
      'with space',
      'quo"te',
      "apo'strophe",
      'dollar $(x) `y`',
      'a?b=c',
      '<12>',
      '-x',
      '#hash',
      'ümläut',
      '\\',
    ];
    const files: InjectedFile[] = names.map((name, at) => ({
      path: `/any/${name}/${name}`,
      source: file(`${name}\n${String(at)}`, `content of ${name}`),
    }));
    const odd = join(folder, 'im age?x=1\n"');
    copyFileSync(image, odd);
    await injectFiles(odd, files);
    for (const name of names) {
      expect((await extracted(odd, `/any/${name}/${name}`)).toString()).toBe(`content of ${name}`);
    }
    fsck(image);
  });

  it('replaces what was there, and a symbolic link without following it', async () => {
    await injectFiles(image, [
      { path: '/etc/init', source: Buffer.from('old and longer'), mode: 0o700 },
      { path: '/etc/precious', source: Buffer.from('kept') },
    ]);
    debugfs(image, 'symlink /etc/link /etc/precious');
    await injectFiles(image, [
      { path: '/etc/init', source: Buffer.from('new') },
      { path: '/etc/link', source: Buffer.from('a file now') },
    ]);
    expect((await extracted(image, '/etc/init')).toString()).toBe('new');
    expect((await extracted(image, '/etc/link')).toString()).toBe('a file now');
    expect((await extracted(image, '/etc/precious')).toString()).toBe('kept');
  });

  it('grows an image without enough space, and leaves space for the guest', async () => {
    const content = randomBytes(50 * MIB);
    const before = statSync(image).size;
    await injectFiles(image, [{ path: '/big', source: content }], { spare: 8 * MIB });
    expect(statSync(image).size).toBeGreaterThan(before + 25 * MIB);
    expect((await extracted(image, '/big')).equals(content)).toBe(true);
    const superblock = execFileSync('dumpe2fs', ['-h', image], { env: environment, encoding: 'utf8', stdio: 'pipe' });
    const free = Number(/Free blocks: +(\d+)/.exec(superblock)?.[1]);
    const blockSize = Number(/Block size: +(\d+)/.exec(superblock)?.[1]);
    expect(free * blockSize).toBeGreaterThanOrEqual(8 * MIB);
    fsck(image);
  });

  it('grows an image that has no inodes left', async () => {
    makeImage(image, 16 * MIB, '-t', 'ext4', '-N', '16');
    const files = Array.from({ length: 60 }, (_, at) => ({ path: `/f${String(at)}`, source: Buffer.from([at]) }));
    await injectFiles(image, files, { spare: 0 });
    expect([...(await extracted(image, '/f59'))]).toEqual([59]);
    fsck(image);
  });

  it.each([
    ['ext2', ['-t', 'ext2', '-b', '1024']],
    ['ext4 with 1 KiB blocks', ['-t', 'ext4', '-b', '1024']],
    ['ext4 without checksums', ['-t', 'ext4', '-O', '^metadata_csum,^64bit']],
  ])('changes %s', async (_, options) => {
    makeImage(image, 24 * MIB, ...options);
    const content = randomBytes(6 * MIB);
    await injectFiles(image, [{ path: '/cca/x', source: content }], { spare: 24 * MIB });
    expect((await extracted(image, '/cca/x')).equals(content)).toBe(true);
    fsck(image);
  });

  it('repairs what e2fsck can repair without asking', async () => {
    debugfs(image, 'mkdir folder', 'sif /folder links_count 7');
    await expect(checkImage(image)).rejects.toMatchObject({ code: 'image-invalid' });
    await injectFiles(image, [{ path: '/x', source: Buffer.from('x') }]);
    fsck(image);
  });

  it('replays a journal before it changes anything', async () => {
    await injectFiles(image, [{ path: '/x', source: Buffer.from('x'.repeat(1024)) }]);
    const block = /\(0\):(\d+)/.exec(debugfs(image, 'stat /x'))?.[1] ?? '';
    const journaled = file('block', 'y'.repeat(1024));
    debugfs(image, 'jo', `jw -b ${block} ${journaled}`, 'jc');
    expect(execFileSync('dumpe2fs', ['-h', image], { env: environment, stdio: 'pipe' }).toString()).toContain(
      'needs_recovery',
    );
    await injectFiles(image, [{ path: '/z', source: Buffer.from('z') }]);
    expect((await extracted(image, '/x')).toString()).toBe('y'.repeat(1024));
    fsck(image);
  });

  it('never goes through a symbolic link of the image', async () => {
    debugfs(image, 'mkdir target', 'symlink lib target', 'symlink out ../../etc');
    for (const path of ['/lib/x', '/out/x', '/lib/deep/er/x']) {
      const error = await failureOf(injectFiles(image, [{ path, source: Buffer.from('x') }]));
      expect(error).toMatchObject({ code: 'invalid-option' });
      expect(error.message).toContain('a symbolic link, which is not followed');
      expect(await failureOf(extractFile(image, path, join(folder, 'out')))).toMatchObject({
        code: 'artifact-missing',
      });
    }
    expect(debugfs(image, 'ls -p /target')).not.toContain('/x/');
  });

  it('is not misled by a link whose target looks like output of debugfs', async () => {
    const source = file('commands', '');
    // Targets of less than 60 bytes are in the inode, and printed.
    const target = '\ndebugfs: stat "/r"\nInode: 2 Type: directory Mode: 0755 \n';
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'dir'), { recursive: true });
    symlinkSync(target, join(tree, 'a'));
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', tree, image], { env: environment });
    const files = ['/a', '/r/x'].map((path) => ({ path, source }));
    expect(await failureOf(injectFiles(image, files))).toMatchObject({ code: 'image-invalid' });
  });

  it.each([
    ['relative', 'is not absolute'],
    ['', 'is not absolute'],
    ['/', 'a name in it is empty'],
    ['/a//b', 'a name in it is empty'],
    ['/a/../b', "goes through '.' or '..'"],
    ['/./b', "goes through '.' or '..'"],
    ['/a\nrm /b', 'control characters'],
    ['/a\0', 'control characters'],
    ['/\uD800', 'invalid characters'],
    [`/${'n'.repeat(300)}`, 'more than 255 bytes'],
    [`/${'é'.repeat(200)}`, 'more than 255 bytes'],
    ['/abcdefg'.repeat(200), 'more than 1024 bytes'],
  ])('refuses the path %.20j, since %s', async (path, why) => {
    const error = await failureOf(injectFiles(image, [{ path, source: Buffer.from('x') }]));
    expect(error.code).toBe('invalid-option');
    expect(error.message).toContain(why);
  });

  it('refuses paths that clash', async () => {
    debugfs(image, 'mkdir folder');
    const source = Buffer.from('x');
    const clashes: readonly (readonly [readonly string[], string])[] = [
      [['/x', '/x'], 'is given twice'],
      [['/x', '/x/y'], 'as a folder of another'],
      [['/folder'], 'in the image is a folder'],
    ];
    for (const [paths, why] of clashes) {
      const error = await failureOf(
        injectFiles(
          image,
          paths.map((path) => ({ path, source })),
        ),
      );
      expect(error.code).toBe('invalid-option');
      expect(error.message).toContain(why);
    }
    await injectFiles(image, [{ path: '/file', source }]);
    expect((await failureOf(injectFiles(image, [{ path: '/file/x', source }]))).message).toContain('no folder but');
    fsck(image);
  });

  it('rejects sources that are not files, and invalid modes', async () => {
    const failure = async (given: Partial<InjectedFile>): Promise<PetriError> =>
      failureOf(injectFiles(image, [{ path: '/x', source: Buffer.from('x'), ...given }]));
    expect(await failure({ source: join(folder, 'absent') })).toMatchObject({ code: 'artifact-missing' });
    expect(await failure({ source: folder })).toMatchObject({ code: 'artifact-missing' });
    expect(await failure({ source: '/dev/zero' })).toMatchObject({ code: 'artifact-missing' });
    expect(await failure({ mode: 0o100644 })).toMatchObject({ code: 'invalid-option' });
  });

  it('rejects files that are not images', async () => {
    const source = Buffer.from('x');
    const failure = async (path: string): Promise<PetriError> => failureOf(injectFiles(path, [{ path: '/x', source }]));
    expect(await failure(file('text', 'hello'))).toMatchObject({ code: 'image-invalid' });
    expect((await failure(file('zeros', Buffer.alloc(MIB)))).message).toContain('not an ext4 file system');
    expect(await failure(folder)).toMatchObject({ code: 'image-invalid' });
    expect(await failure(join(folder, 'absent'))).toMatchObject({ code: 'artifact-missing' });
    const nonsense = Buffer.alloc(MIB, 0xff);
    nonsense.writeUInt16LE(0xef53, 1024 + 0x38);
    expect((await failure(file('nonsense', nonsense))).message).toContain('makes no sense');
    const corrupt = readFileSync(image);
    corrupt.fill(0xa5, 2048, 4 * MIB);
    expect(['image-invalid', 'tool-failed']).toContain((await failure(file('corrupt', corrupt))).code);
    truncateSync(image, 20 * MIB);
    expect((await failure(image)).message).toContain('it is cut off');
  });

  it('ends when the signal aborts', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const error = await failureOf(injectFiles(image, [{ path: '/x', source: Buffer.from('x') }], { signal }));
    expect(error).toMatchObject({ code: 'interrupted', cause: { message: 'enough' } });
  });
});

describe.skipIf(mke2fs === undefined)('deriveImage', () => {
  it('makes a new image and leaves the old one unchanged', async () => {
    const before = readFileSync(image);
    chmodSync(image, 0o444);
    const target = join(folder, 'derived');
    const content = randomBytes(20 * MIB);
    const derived = await deriveImage({ source: image, target, files: [{ path: '/cca/Image', source: content }] });
    expect(derived.size).toBe(statSync(target).size);
    expect(derived.files[0]).toMatchObject({ path: '/cca/Image', size: content.length });
    expect((await extracted(target, '/cca/Image')).equals(content)).toBe(true);
    expect(readFileSync(image).equals(before)).toBe(true);
    fsck(target);
    await checkImage(target);
  });

  it('leaves nothing when it fails or is aborted', async () => {
    const target = join(folder, 'derived');
    const source = Buffer.from('x');
    await failureOf(deriveImage({ source: image, target, files: [{ path: '/lost+found', source }] }));
    const controller = new AbortController();
    const deriving = failureOf(
      deriveImage({ source: image, target, files: [{ path: '/x', source }], signal: controller.signal }),
    );
    controller.abort();
    expect(await deriving).toMatchObject({ code: 'interrupted' });
    expect(readdirSync(folder)).toEqual(['image']);
  });

  it('rejects a target that is a folder, in a missing folder, or the source', async () => {
    const derive = async (target: string): Promise<PetriError> =>
      failureOf(deriveImage({ source: image, target, files: [] }));
    expect((await derive(folder)).message).toContain('it is a folder');
    expect((await derive(join(folder, 'absent', 'x'))).message).toContain('there is no folder');
    expect((await derive(image)).message).toContain('onto itself');
    symlinkSync(image, join(folder, 'link'));
    expect((await derive(join(folder, 'link'))).message).toContain('onto itself');
    fsck(image);
  });

  it('reports a full disk', async ({ skip }) => {
    const small = join(folder, 'small');
    mkdirSync(small);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', small], { stdio: 'ignore' });
    } catch {
      skip('making a file system of 4 MiB takes root');
    }
    try {
      const files = [{ path: '/big', source: randomBytes(8 * MIB) }];
      const error = await failureOf(deriveImage({ source: image, target: join(small, 'x'), files, spare: 0 }));
      expect(error).toMatchObject({ code: 'image-full', remedy: expect.stringContaining(small) as string });
      expect(readdirSync(small)).toEqual([]);
    } finally {
      execFileSync('umount', [small]);
    }
  });
});

describe.skipIf(mke2fs === undefined)('copyImage', () => {
  it('copies every byte and keeps zeros sparse', async () => {
    const source = file('source', Buffer.concat([randomBytes(MIB), Buffer.alloc(30 * MIB), randomBytes(5)]));
    const target = join(folder, 'copy');
    const report = await copyImage(source, target);
    expect(report.size).toBe(statSync(source).size);
    expect(readFileSync(target).equals(readFileSync(source))).toBe(true);
    if (report.method === 'sparse') expect(statSync(target).blocks * 512).toBeLessThan(8 * MIB);
  });
});

describe.skipIf(mke2fs === undefined)('growImage', () => {
  it('makes the file system longer, and never shorter', async () => {
    await injectFiles(image, [{ path: '/x', source: Buffer.from('kept') }]);
    expect(await growImage(image, 300 * MIB)).toBe(300 * MIB);
    expect(await growImage(image, MIB)).toBe(300 * MIB);
    expect((await extracted(image, '/x')).toString()).toBe('kept');
    await checkImage(image);
  });
});

describe.skipIf(mke2fs === undefined)('extractFile', () => {
  it('reports a missing file, and leaves nothing', async () => {
    const target = join(folder, 'out');
    for (const path of ['/absent', '/lost+found', '/absent/x']) {
      expect(await failureOf(extractFile(image, path, target))).toMatchObject({ code: 'artifact-missing' });
    }
    expect(existsSync(target)).toBe(false);
  });

  it('does not write out a file that claims to be larger than its image', async () => {
    await injectFiles(image, [{ path: '/huge', source: Buffer.from('x') }]);
    debugfs(image, 'sif /huge size 1000000000000');
    const error = await failureOf(extractFile(image, '/huge', join(folder, 'out')));
    expect(error.message).toContain('larger than its file system');
  });
});

describe('probeImageTools', () => {
  it('names what is missing and how to install it', async () => {
    const path = process.env['PATH'];
    try {
      process.env['PATH'] = folder;
      expect(await probeImageTools()).toContainEqual({
        what: 'the program cp',
        remedy: 'install it: sudo apt-get install coreutils',
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  it.skipIf(mke2fs === undefined)('finds the installed tools', async () => {
    expect(await probeImageTools()).toEqual([]);
  });
});
