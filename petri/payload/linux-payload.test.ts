import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { linux } from './linux-payload.ts';

let folder: string;
let kernel: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-linux-payload-'));
  kernel = join(folder, 'Image');
  const image = Buffer.alloc(64);
  image.write('ARM\x64', 56, 'latin1');
  writeFileSync(kernel, image);
  writeFileSync(join(folder, 'initramfs'), 'x');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

it('accepts the user’s kernel and initramfs', () => {
  const initramfs = join(folder, 'initramfs');
  expect(linux({ kernel, initramfs, commandLine: 'debug' })).toMatchObject({
    kind: 'linux',
    path: kernel,
    initramfs,
    commandLine: 'debug',
  });
});

it('finds them through the environment', () => {
  vi.stubEnv('PETRI_ARTIFACT_LINUX_KERNEL', kernel);
  vi.stubEnv('PETRI_ARTIFACT_LINUX_BUSYBOX', join(folder, 'initramfs'));
  expect(linux()).toMatchObject({ path: kernel, busybox: join(folder, 'initramfs'), commandLine: 'quiet' });
});

it('brings the modules that were installed beside the kernel with a disk, in load order', () => {
  const disk = join(folder, 'disk');
  writeFileSync(disk, Buffer.alloc(1024));
  const options = { kernel, initramfs: join(folder, 'initramfs'), disk };
  expect(linux(options)).toMatchObject({ disk, modules: [] });
  const modules = join(folder, 'modules');
  mkdirSync(modules);
  writeFileSync(join(modules, 'load'), 'b.ko\na.ko\n');
  expect(() => linux(options)).toThrow(expect.objectContaining({ code: 'artifact-missing' }));
  writeFileSync(join(modules, 'wanted'), 'b\na');
  expect(linux(options).modules).toEqual([join(modules, 'b.ko'), join(modules, 'a.ko')]);
});

it.each([
  ['a disk that is not there', '/nowhere/disk', 'artifact-missing'],
  // It has one byte.
  ['a disk of no whole number of sectors', 'initramfs', 'image-invalid'],
])('refuses %s', (_, name, code) => {
  const disk = resolve(folder, name);
  const options = { kernel, initramfs: join(folder, 'initramfs'), disk };
  expect(() => linux(options)).toThrow(expect.objectContaining({ code }));
});

it.each([
  ['a kernel that is not there', { kernel: '/nowhere/Image' }, 'artifact-missing'],
  ['a kernel of another kind', { kernel: import.meta.filename }, 'image-invalid'],
])('refuses %s', (_, options, code) => {
  expect(() => linux(options)).toThrow(expect.objectContaining({ code }));
});

it.each(['a\nb', 'x'.repeat(2000), '\0'])('rejects an invalid command line', (commandLine) => {
  const options = { kernel, initramfs: join(folder, 'initramfs'), commandLine };
  expect(() => linux(options)).toThrow(expect.objectContaining({ code: 'invalid-option' }));
});
