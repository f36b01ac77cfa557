import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PetriError } from '../errors.ts';
import { toolsAreRequired } from '../unit-test/optional-tool.ts';
import { artifactsFolder, artifactPath, ownManifest, readManifest, resolveArtifact, type Manifest } from './index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'petri-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function failureOf(action: () => unknown): PetriError {
  try {
    action();
  } catch (error) {
    if (error instanceof PetriError) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function manifestWith(content: unknown): string {
  const path = join(folder, 'manifest.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const entry = {
  name: 'tmk-a',
  path: 'a.elf',
  sha256: sha256('payload'),
  description: 'A payload',
  source: 'a.c',
  build: './make-a',
};

function manifest(): Manifest {
  return readManifest(manifestWith({ version: 1, artifacts: [entry] }));
}

describe('an artifact', () => {
  it('comes from the repository, its digest verified', () => {
    writeFileSync(join(folder, 'a.elf'), 'payload');
    expect(resolveArtifact('tmk-a', { manifest: manifest(), env: {} })).toEqual({
      name: 'tmk-a',
      path: join(folder, 'a.elf'),
      from: 'repository',
    });
  });

  it('is refused when its digest is another, also when it becomes so', () => {
    const path = join(folder, 'a.elf');
    writeFileSync(path, 'payload');
    resolveArtifact('tmk-a', { manifest: manifest(), env: {} });
    writeFileSync(path, 'another payload');
    const error = failureOf(() => resolveArtifact('tmk-a', { manifest: manifest(), env: {} }));
    expect(error).toMatchObject({ code: 'artifact-digest' });
    expect(error.message).toContain(sha256('another payload'));
    expect(error.remedy).toContain('./make-a');
  });

  it('comes from a path before that, and from the environment before all', () => {
    writeFileSync(join(folder, 'a.elf'), 'payload');
    writeFileSync(join(folder, 'b.elf'), 'mine');
    writeFileSync(join(folder, 'c.elf'), 'mine too');
    const path = join(folder, 'b.elf');
    const env = { PETRI_ARTIFACT_TMK_A: join(folder, 'c.elf') };
    expect(resolveArtifact('tmk-a', { manifest: manifest(), env: {}, path })).toMatchObject({ path, from: 'path' });
    expect(resolveArtifact('tmk-a', { manifest: manifest(), env, path })).toMatchObject({
      path: env.PETRI_ARTIFACT_TMK_A,
      from: 'environment',
    });
  });

  it('that is missing is told with what to run', () => {
    const error = failureOf(() => resolveArtifact('tmk-a', { manifest: manifest(), env: {} }));
    expect(error).toMatchObject({ code: 'artifact-missing', step: 'artifact' });
    expect(error.remedy).toContain('make it with: ./make-a');
    expect(error.remedy).toContain('PETRI_ARTIFACT_TMK_A');
  });

  it('that the environment names and is missing is told with the variable', () => {
    const env = { PETRI_ARTIFACT_TMK_A: '/nowhere/a.elf' };
    const error = failureOf(() => resolveArtifact('tmk-a', { manifest: manifest(), env }));
    expect(error.message).toContain('/nowhere/a.elf is not a file (PETRI_ARTIFACT_TMK_A names it)');
  });

  it('that nobody declared is told with those that are', () => {
    const error = failureOf(() => resolveArtifact('tmk-b', { manifest: manifest(), env: {} }));
    expect(error).toMatchObject({ code: 'artifact-missing', remedy: expect.stringContaining('tmk-a') as unknown });
  });
});

describe('a manifest is refused', () => {
  it.each<[string, unknown, string]>([
    ['that is no JSON', '{', 'malformed'],
    ['of another version', { version: 2, artifacts: [] }, 'version'],
    [
      'with a short digest',
      { version: 1, artifacts: [{ ...entry, sha256: 'abc' }] },
      '64 lower-case hexadecimal digits',
    ],
    ['with a strange name', { version: 1, artifacts: [{ ...entry, name: '../a' }] }, 'lower-case letters'],
    ['with a member that nobody knows', { version: 1, artifacts: [{ ...entry, url: '' }] }, 'url'],
    ['with a name twice', { version: 1, artifacts: [entry, entry] }, 'two artifacts have the same name'],
  ])('%s', (_, content, expected) => {
    const path = manifestWith(content);
    expect(failureOf(() => readManifest(path))).toMatchObject({ code: 'invalid-config' });
    expect(failureOf(() => readManifest(path)).message).toContain(expected);
  });

  it('that is not there', () => {
    expect(failureOf(() => readManifest(join(folder, 'none.json')))).toMatchObject({ code: 'artifact-missing' });
  });
});

describe('the artifacts of this package', () => {
  it('are what the manifest says', () => {
    const { artifacts } = ownManifest();
    expect(artifacts.length).toBeGreaterThan(0);
    for (const artifact of artifacts) {
      const content = readFileSync(artifactPath(ownManifest(), artifact));
      expect(createHash('sha256').update(content).digest('hex'), artifact.name).toBe(artifact.sha256);
      expect(resolveArtifact(artifact.name, { env: {} }).from).toBe('repository');
    }
  });

  it('hold nothing of the machine that built them', () => {
    for (const artifact of ownManifest().artifacts) {
      const content = readFileSync(artifactPath(ownManifest(), artifact), 'latin1');
      expect(content).not.toMatch(/\/(home|work|tmp|root|usr)\//);
    }
  });

  for (const part of ['tmk', 'monitor']) {
    it(`are what their sources give, byte for byte: ${part}`, ({ skip }) => {
      const { status, stdout, stderr } = spawnSync(join(artifactsFolder(), part, 'build.sh'), ['--check'], {
        encoding: 'utf8',
      });
      // 77: no cross compiler here; 78: one of another version, which gives other bytes.
      if (status === 78 || (status === 77 && !toolsAreRequired())) skip(stderr.trim());
      expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
    });
  }

  it('are all in the repository', ({ skip }) => {
    const inRepository = spawnSync('git', ['rev-parse', '--git-dir'], { cwd: artifactsFolder() }).status === 0;
    if (!inRepository) skip('not a git checkout');
    const files = execFileSync('git', ['ls-files', '.'], { cwd: artifactsFolder(), encoding: 'utf8' }).split('\n');
    for (const artifact of ownManifest().artifacts) {
      expect(files).toContain(artifact.path);
    }
  });
});
