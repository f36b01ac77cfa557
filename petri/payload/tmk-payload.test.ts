import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PetriError } from '../errors.ts';
import { prebuiltTmks, tmk } from './index.ts';
import { buildTmk, descriptors, tmkLayout } from '../elf/testing.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-test-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

function failure(name: string, test?: string): PetriError {
  try {
    tmk(name, test === undefined ? {} : { test });
  } catch (error) {
    if (error instanceof PetriError) return error;
    throw error;
  }
  throw new Error(`${name} was accepted`);
}

describe('a payload', () => {
  it('is found by name', () => {
    expect(tmk('hello')).toMatchObject({ kind: 'tmk', name: 'hello', image: { tests: [{ name: 'boot' }] } });
  });

  it('is found by path', () => {
    const path = join(folder, 'mine.elf');
    writeFileSync(path, buildTmk({}));
    expect(tmk(path)).toMatchObject({ name: path, path, image: { tests: [{ name: 'a::b!' }] } });
  });

  it('is found through the environment', () => {
    const path = join(folder, 'mine');
    writeFileSync(path, buildTmk({}));
    vi.stubEnv('PETRI_ARTIFACT_TMK_HELLO', path);
    expect(tmk('hello').image.tests[0]?.name).toBe('a::b!');
    vi.stubEnv('PETRI_ARTIFACT_TMK_NEW', path);
    expect(tmk('new').path).toBe(path);
  });

  it('is parsed once', () => {
    expect(tmk('hello').image).toBe(tmk('hello').image);
    expect(tmk('simple').image).not.toBe(tmk('hello').image);
  });

  it('is parsed again when the file changes', () => {
    const path = join(folder, 'mine.elf');
    writeFileSync(path, buildTmk({}));
    utimesSync(path, 1, 1);
    const before = tmk(path);
    writeFileSync(path, buildTmk({ tests: descriptors([{ name: tmkLayout.names, length: 4 }]) }));
    utimesSync(path, 2, 2);
    expect(before.image.tests[0]?.name).toBe('a::b!');
    expect(tmk(path).image.tests[0]?.name).toBe('a::b');
  });

  it('has the requested test, by its full name', () => {
    expect(tmk('simple', { test: 'boot' }).test).toBe('common::boot');
    expect(tmk('simple').test).toBeUndefined();
  });
});

describe('a missing payload', () => {
  it('by name: lists the existing ones, and how to build one', () => {
    const error = failure('nosuch');
    expect(error).toMatchObject({
      code: 'artifact-missing',
      message: expect.stringContaining("no TMK payload 'nosuch'") as unknown,
    });
    expect(error.remedy).toContain('hello');
    expect(error.remedy).toContain('petri tmk build nosuch.c');
    expect(error.remedy).toContain('PETRI_ARTIFACT_TMK_NOSUCH');
  });

  it('by path', () => {
    expect(failure('./nosuch.elf')).toMatchObject({ code: 'artifact-missing' });
    expect(failure(folder)).toMatchObject({ code: 'artifact-missing' });
  });

  it('by the environment', () => {
    vi.stubEnv('PETRI_ARTIFACT_TMK_HELLO', join(folder, 'nothing'));
    expect(failure('hello').message).toContain('PETRI_ARTIFACT_TMK_HELLO names it');
  });

  it('has no such test', () => {
    expect(failure('simple', 'nosuch')).toMatchObject({ code: 'tmk-test-unknown' });
  });

  it('is not an ELF file, or one for another machine', () => {
    const path = join(folder, 'text.elf');
    writeFileSync(path, 'this is text');
    expect(failure(path)).toMatchObject({ code: 'elf-invalid' });
    writeFileSync(path, '');
    expect(failure(path)).toMatchObject({ code: 'elf-invalid' });
  });
});

it('the prebuilt payloads can all be read', () => {
  const all = prebuiltTmks();
  expect(all).toEqual(expect.arrayContaining(['hello', 'simple', 'selftest', 'simd', 'mmio', 'exits', 'exceptions']));
  expect(all).toEqual(expect.arrayContaining(['panic', 'loop', 'flood', 'garbage', 'verdicts']));
  for (const name of all) {
    const { image } = tmk(name);
    expect(image.tests.length).toBeGreaterThan(0);
    expect(image.symbolAt(image.entry)?.name).toBe('_start');
    // A TMK has 4 MiB of RAM, including its start input after the image.
    expect(image.span.end).toBeLessThan(0x40_0000);
  }
});

it('the payload `simple` has the tests of OpenVMM', () => {
  expect(tmk('simple').image.tests.map((test) => [test.name, test.expectedFailure, test.linuxOnly])).toEqual([
    ['common::boot', false, false],
    ['aarch64::instruction_abort_outside_par', true, true],
    ['aarch64::instruction_abort_ripas_empty', true, true],
    ['aarch64::instruction_abort_permissions_enabled', true, true],
  ]);
});
