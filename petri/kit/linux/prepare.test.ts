import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { prepareLinux } from './prepare.ts';

let folder: string;
let kernel: string;
let busybox: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-prepare-'));
  kernel = join(folder, 'Image');
  busybox = join(folder, 'busybox-arm64');
  writeFileSync(kernel, image());
  writeFileSync(busybox, program({}));
  said = [];
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** The header of an arm64 Image, with some text after it. */
function image(text = ''): Buffer {
  const bytes = Buffer.alloc(80);
  bytes.write('ARM\x64', 56, 'latin1');
  bytes.write(text, 64);
  return bytes;
}

/** An ELF header with one program header. */
function program({ machine = 183, segment = 1 }: { readonly machine?: number; readonly segment?: number }): Buffer {
  const bytes = Buffer.alloc(120);
  bytes.write('\x7fELF\x02', 'latin1');
  bytes.writeUInt16LE(machine, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(segment, 64);
  return bytes;
}

function prepare(files: { readonly kernel?: string; readonly busybox?: string }): ReturnType<typeof prepareLinux> {
  return prepareLinux({
    folder: join(folder, 'linux'),
    ...files,
    signal: new AbortController().signal,
    say: (line) => said.push(line),
  });
}

describe('prepareLinux', () => {
  it('uses the given files, without apt', async () => {
    vi.stubEnv('PATH', folder);
    const { versions, done } = await prepare({ kernel, busybox });
    expect(done).toBe(true);
    expect(versions).toEqual([
      expect.stringMatching(/^kernel Image sha256=[0-9a-f]{64}$/),
      expect.stringMatching(/^busybox busybox-arm64 sha256=[0-9a-f]{64}$/),
    ]);
    expect(readFileSync(join(folder, 'linux/vmlinuz'))).toEqual(readFileSync(kernel));
    expect(readFileSync(join(folder, 'linux/busybox'))).toEqual(readFileSync(busybox));
    // The second time there is nothing to download.
    expect(await prepare({})).toEqual({ versions, done: false });
  });

  it('keeps the other file when one is replaced, and removes modules of the old kernel', async () => {
    await prepare({ kernel, busybox });
    mkdirSync(join(folder, 'linux/modules'));
    writeFileSync(kernel, image('newer'));
    const { versions } = await prepare({ kernel });
    expect(versions).toHaveLength(2);
    expect(readFileSync(join(folder, 'linux/vmlinuz')).includes('newer')).toBe(true);
    expect(readdirSync(join(folder, 'linux'))).not.toContain('modules');
  });

  it.each([
    ['a file that is not a kernel', { kernel: 'text' }, /text.*kernel/],
    ['a busybox for another machine', { busybox: 'x86' }, /is no program for AArch64/],
    ['a busybox that needs libraries', { busybox: 'dynamic' }, /is no static program/],
    ['a file that is not there', { busybox: 'nowhere' }, /cannot be read: ENOENT/],
  ])('rejects %s', async (_name, files, message) => {
    writeFileSync(join(folder, 'text'), 'no kernel');
    writeFileSync(join(folder, 'x86'), program({ machine: 62 }));
    writeFileSync(join(folder, 'dynamic'), program({ segment: 3 }));
    const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(folder, file)]));
    await expect(prepare({ kernel, busybox, ...paths })).rejects.toThrow(message);
    expect(readdirSync(folder)).not.toContain('linux');
  });

  it('reports on a host without apt that files are needed', async () => {
    vi.stubEnv('PATH', folder);
    await expect(prepare({ kernel })).rejects.toThrow(/no apt-get.*[^]*remedy: .*--kernel FILE --busybox FILE/);
    expect(readdirSync(join(folder, 'linux'))).not.toContain('vmlinuz');
  });
});
