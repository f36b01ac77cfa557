import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { optionalTool } from '../../unit-test/optional-tool.ts';
import { initramfs, type InitramfsEntry } from './initramfs.ts';

const cpio = optionalTool('cpio', 'cpio');

const entries: readonly InitramfsEntry[] = [
  { kind: 'file', path: '/init', content: Buffer.from('#!/bin/sh\necho hi\n'), mode: 0o755 },
  { kind: 'file', path: 'etc/deep/er/file', content: Buffer.from('abc') },
  { kind: 'directory', path: '/etc/deep', mode: 0o700 },
  { kind: 'symlink', path: '/bin', target: 'usr/bin' },
  { kind: 'character-device', path: '/dev/console', major: 5, minor: 1 },
  { kind: 'block-device', path: '/dev/vda', major: 254, minor: 0, mode: 0o660 },
  { kind: 'file', path: '/empty', content: new Uint8Array() },
];

/** A parser of the format that is independent of the writer. */
function parse(archive: Uint8Array): { name: string; mode: string; data: string; device: string }[] {
  const bytes = Buffer.from(archive);
  const found = [];
  for (let at = 0; ;) {
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number): number =>
      Number.parseInt(bytes.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameEnd = at + 110 + field(11);
    const name = bytes.toString('utf8', at + 110, nameEnd - 1);
    if (name === 'TRAILER!!!') {
      expect(nameEnd + ((4 - (nameEnd % 4)) % 4)).toBe(bytes.length);
      return found;
    }
    const start = nameEnd + ((4 - (nameEnd % 4)) % 4);
    const end = start + field(6);
    expect([field(2), field(3), field(5)]).toEqual([0, 0, 0]);
    const device = `${String(field(9))}:${String(field(10))}`;
    found.push({ name, mode: field(1).toString(8), data: bytes.toString('utf8', start, end), device });
    at = end + ((4 - (end % 4)) % 4);
  }
}

describe('initramfs', () => {
  it('has every entry, after its parent folders', () => {
    expect(parse(initramfs(entries))).toEqual([
      { name: 'init', mode: '100755', data: '#!/bin/sh\necho hi\n', device: '0:0' },
      { name: 'etc', mode: '40755', data: '', device: '0:0' },
      { name: 'etc/deep', mode: '40700', data: '', device: '0:0' },
      { name: 'etc/deep/er', mode: '40755', data: '', device: '0:0' },
      { name: 'etc/deep/er/file', mode: '100644', data: 'abc', device: '0:0' },
      { name: 'bin', mode: '120777', data: 'usr/bin', device: '0:0' },
      { name: 'dev', mode: '40755', data: '', device: '0:0' },
      { name: 'dev/console', mode: '20600', data: '', device: '5:1' },
      { name: 'dev/vda', mode: '60660', data: '', device: '254:0' },
      { name: 'empty', mode: '100644', data: '', device: '0:0' },
    ]);
  });

  it('is the same every time, and the same in gzip', () => {
    expect(initramfs(entries)).toEqual(initramfs(entries));
    const zipped = initramfs(entries, { gzip: true });
    expect(zipped).toEqual(initramfs(entries, { gzip: true }));
    expect(new Uint8Array(gunzipSync(zipped))).toEqual(initramfs(entries));
  });

  it.skipIf(cpio === undefined)('is read by cpio', () => {
    const list = execFileSync('cpio', ['-itv', '--numeric-uid-gid', '--quiet'], {
      input: initramfs(entries),
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    });
    expect(list.trim().split('\n')).toHaveLength(10);
    expect(list).toMatch(/^-rwxr-xr-x +1 0 +0 +18 Jan +1 +1970 init$/m);
    expect(list).toMatch(/^drwx------ +2 0 +0 +0 Jan +1 +1970 etc\/deep$/m);
    expect(list).toMatch(/^crw------- +1 0 +0 +5, +1 Jan +1 +1970 dev\/console$/m);
    expect(list).toMatch(/^lrwxrwxrwx .* bin -> usr\/bin$/m);
  });

  it.each<[string, InitramfsEntry[]]>([
    ['a path twice', [...entries, { kind: 'directory', path: '/init' }]],
    ['a folder twice', [...entries, { kind: 'directory', path: '/etc/deep' }]],
    ['a file as a folder', [...entries, { kind: 'file', path: '/init/x', content: new Uint8Array() }]],
    ['a folder as a file', [...entries, { kind: 'file', path: '/etc', content: new Uint8Array() }]],
    ['..', [{ kind: 'directory', path: '/a/../b' }]],
    ['no name', [{ kind: 'directory', path: '/' }]],
    ['a NUL', [{ kind: 'directory', path: '/a\0b' }]],
    ['the trailer', [{ kind: 'directory', path: 'TRAILER!!!' }]],
    ['an invalid mode', [{ kind: 'directory', path: 'a', mode: 0o40755 }]],
    ['an invalid device', [{ kind: 'block-device', path: 'a', major: -1, minor: 0 }]],
    ['a link to nothing', [{ kind: 'symlink', path: 'a', target: '' }]],
  ])('refuses %s', (_, wrong) => {
    expect(() => initramfs(wrong)).toThrow('cannot go into an initramfs');
  });
});
