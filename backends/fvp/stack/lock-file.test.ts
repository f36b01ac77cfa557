import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { artifactsFolder } from '../../../petri/artifacts/index.ts';
import { resolveLock, type ResolveRequest } from '../../../petri/kit/stack/index.ts';
import { type LockFile, lockFormat } from './lock-file.ts';
import { revisionsOverlay } from './overlays.ts';

const path = join(artifactsFolder(), 'cca', 'fvp.lock.yaml');
const text = readFileSync(path, 'utf8');
const shipped = lockFormat.parse(text, path);
const [one, two] = ['1'.repeat(40), '2'.repeat(40)] as const;

function edited(edit: (lock: LockFile) => void): string {
  const lock = structuredClone(shipped);
  edit(lock);
  return JSON.stringify(lock);
}

describe('the lock file of the package', () => {
  it('pins every source, or gives the reason and the branch that it follows', () => {
    for (const source of Object.values(shipped.sources)) {
      expect(source.why).toBeDefined();
      if (source.revision === null) expect(source.ref).toBeDefined();
    }
    expect(Object.values(shipped.sources).filter((source) => source.revision !== null).length).toBeGreaterThanOrEqual(
      3,
    );
  });

  it('marks the personal fork as one', () => {
    expect(shipped.sources['plane0-linux']?.fork).toMatch(/personal fork/);
  });

  it('survives being written and read, with the same digest', () => {
    const again = lockFormat.parse(lockFormat.format(shipped), 'again');
    expect(again).toEqual(shipped);
    expect(lockFormat.digest(again)).toBe(lockFormat.digest(shipped));
  });
});

describe('a lock file that is wrong', () => {
  it.each([
    ['a shell in a repository', edited((lock) => set(lock, 'repository', 'https://e.org/x;rm -rf ~')), /repository/],
    ['an option for a repository', edited((lock) => set(lock, 'repository', '--upload-pack=evil')), /repository/],
    ['a short commit id', edited((lock) => set(lock, 'revision', '1488a37b7')), /full commit id/],
    ['no revision and no ref', edited((lock) => set(lock, 'revision', null)), /needs `ref` and `why`/],
    ['an option for a ref', edited((lock) => set(lock, 'ref', '-x')), /branch, tag/],
    ['a shell in a variable', edited((lock) => (lock.shrinkwrap.variables['X'] = '$(id)')), /shell characters/],
    [
      'an image with both a tag and a digest',
      edited((lock) => (lock.shrinkwrap.image = `x/y:1@sha256:${'0'.repeat(64)}`)),
      /NAME@sha256:DIGEST/,
    ],
    ['a missing source', edited((lock) => delete lock.sources['tfa']), /sources.tfa: missing/],
    ['an unknown key', edited((lock) => Object.assign(lock, { sorces: {} })), /sorces/],
    ['a package that is a URL', edited((lock) => (lock.python['pyyaml'] = '@ https://e.org/x.whl')), /python.pyyaml/],
    ['something else', '[1, 2', /flow/i],
  ])('is rejected for %s', (_what, content, message) => {
    expect(() => lockFormat.parse(content, 'mine.yaml')).toThrow(message);
    expect(() => lockFormat.parse(content, 'mine.yaml')).toThrow(/^mine.yaml is not a lock file for the FVP stack/);
  });
});

function set(lock: LockFile, key: 'repository' | 'revision' | 'ref', value: string | null): void {
  Object.assign(lock.sources['tfa'] ?? {}, { [key]: value });
}

describe('resolving a lock', () => {
  const asked: string[] = [];
  const resolve = async (over: Partial<ResolveRequest<LockFile>> = {}): Promise<LockFile> => {
    asked.length = 0;
    const ask = (repository: string, ref: string): Promise<string> => {
      asked.push(`${repository} ${ref}`);
      return Promise.resolve(one);
    };
    const nothing = { base: shipped, own: undefined, overrides: [], refresh: false, unused: new Set<string>() };
    return await resolveLock({ format: lockFormat, ...nothing, ask, ...over });
  };

  it('resolves branches only, and records the result', async () => {
    const lock = await resolve({ unused: new Set(['openvmm']) });
    expect(asked).toHaveLength(3);
    expect(lock.sources['host-linux']).toMatchObject({ revision: one, ref: 'cca/planes/rfc-v1', by: 'resolved' });
    expect(lock.sources['tfa']).toEqual(shipped.sources['tfa']);
    expect(lock.sources['openvmm']?.revision).toBeNull();
  });

  it('resolves once, until it is asked to do so again', async () => {
    const own = await resolve();
    expect(await resolve({ own })).toEqual(own);
    expect(asked).toEqual([]);
    await resolve({ own, refresh: true });
    expect(asked).toHaveLength(4);
  });

  it('resolves again if the lock of the package follows another branch', async () => {
    const own = await resolve();
    const base = structuredClone(shipped);
    Object.assign(base.sources['kvmtool'] ?? {}, { ref: 'cca/v9' });
    await resolve({ own, base });
    expect(asked).toEqual([`${shipped.sources['kvmtool']?.repository ?? ''} cca/v9`]);
  });

  it('prefers what the user gave, now and later', async () => {
    const overrides = [
      { name: 'tfa', revision: two },
      { name: 'plane0-linux', repository: '/srv/linux.git', revision: 'mine' },
    ];
    const own = await resolve({ overrides });
    expect(own.sources['tfa']).toMatchObject({ revision: two, by: 'user', component: 'tfa' });
    expect(own.sources['plane0-linux']).toMatchObject({ repository: '/srv/linux.git', ref: 'mine', revision: one });
    expect(own.sources['plane0-linux']).not.toHaveProperty('fork');
    expect(asked).toContain('/srv/linux.git mine');
    expect((await resolve({ own })).sources).toEqual(own.sources);
  });

  it('accesses no repository for a plan', async () => {
    const lock = await resolve({ ask: undefined });
    expect(lock.sources['kvmtool']?.revision).toBeNull();
  });

  it('checks names of sources, and applies the rules of the file to options', async () => {
    await expect(resolve({ overrides: [{ name: 'edk3' }] })).rejects.toThrow(/no source 'edk3'[\s\S]*tfrmm/);
    const evil = [{ name: 'tfa', repository: 'x$(id)', revision: one }];
    await expect(resolve({ overrides: evil })).rejects.toThrow(/repository/);
  });

  it('passes each revision to shrinkwrap at its component', async () => {
    const overlay: unknown = parse(revisionsOverlay(await resolve()));
    const { tfa, kvmtool } = shipped.sources;
    expect(overlay).toMatchObject({
      build: {
        tfa: { repo: { remote: tfa?.repository, revision: tfa?.revision } },
        rmm: { repo: { revision: shipped.sources['tfrmm']?.revision } },
        linux: { repo: { revision: one } },
        kvmtool: { repo: { kvmtool: { remote: kvmtool?.repository, revision: one } } },
      },
    });
    expect(overlay).not.toHaveProperty('build.plane0-linux');
  });
});

describe('our overlays', () => {
  it.each(['petri-planes.yaml', 'petri-consoles.yaml'])('%s has only keys that shrinkwrap knows', (name) => {
    const overlay = parse(readFileSync(join(artifactsFolder(), 'cca', 'overlays', name), 'utf8')) as {
      build?: Record<string, object>;
      run?: { params: Record<string, unknown>; terminals?: Record<string, object> };
    };
    expect(new Set(['description', 'build', 'run'])).toEqual(new Set([...Object.keys(overlay), 'build', 'run']));
    for (const component of Object.values(overlay.build ?? {})) {
      expect(['params', 'prebuild']).toEqual(expect.arrayContaining(Object.keys(component)));
    }
    for (const parameter of Object.keys(overlay.run?.params ?? {})) expect(parameter).toMatch(/^-C [\w.]+$/);
    for (const terminal of Object.values(overlay.run?.terminals ?? {})) {
      expect(Object.keys(terminal)).toEqual(['friendly', 'type', 'port_regex']);
      // For a type that it knows, shrinkwrap uses the console itself or appends its own parameters.
      expect(terminal).toMatchObject({ type: 'petri' });
    }
  });
});
