import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  cacheHome,
  expandHome,
  fallbackRoot,
  makeFallbackRoot,
  runsHome,
  stateHome,
  temporaryHome,
  userHome,
} from './index.ts';

let folder: string;
/** What nobody can make a folder in, not even root. */
let file: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'petri-homes-')));
  file = join(folder, 'file');
  writeFileSync(file, '');
  mkdirSync(join(folder, 'tmp'));
  mkdirSync(join(folder, 'home'));
  vi.stubEnv('TMPDIR', join(folder, 'tmp'));
  vi.stubEnv('HOME', join(folder, 'home'));
  for (const name of ['PETRI_STATE_DIR', 'PETRI_RUNS_DIR', 'PETRI_CACHE_DIR', 'XDG_STATE_HOME', 'XDG_CACHE_HOME'])
    vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('the state directory', () => {
  it('is where the environment says, or as the XDG specification does', () => {
    const usual = { path: join(folder, 'home/.local/state/petri-vm'), from: 'default' };
    expect(stateHome()).toEqual(usual);
    vi.stubEnv('XDG_STATE_HOME', 'relative');
    expect(stateHome()).toEqual(usual);
    vi.stubEnv('XDG_STATE_HOME', join(folder, 'xdg'));
    expect(stateHome()).toEqual({ path: join(folder, 'xdg/petri-vm'), from: 'XDG_STATE_HOME' });
    vi.stubEnv('PETRI_STATE_DIR', '');
    expect(stateHome().from).toBe('XDG_STATE_HOME');
    vi.stubEnv('PETRI_STATE_DIR', join(folder, 'state'));
    expect(stateHome()).toEqual({ path: join(folder, 'state'), from: 'PETRI_STATE_DIR' });
    vi.stubEnv('PETRI_STATE_DIR', 'relative');
    expect(() => stateHome()).toThrow(/not an absolute path[^]*remedy/);
  });

  it.each(['HOME', 'XDG_STATE_HOME'])('is below the temporary folder where %s cannot be used', (name) => {
    vi.stubEnv(name, file);
    const { path, from, because } = stateHome();
    expect([path, from]).toEqual([join(fallbackRoot(), 'state'), 'fallback']);
    expect(because).toMatch(/no folder|ENOTDIR/);
  });

  it.runIf(process.getuid?.() === 0)('of somebody else is not used', () => {
    const theirs = join(folder, 'home/.local/state/petri-vm');
    mkdirSync(theirs, { recursive: true });
    chownSync(theirs, 54321, 54321);
    expect(stateHome()).toMatchObject({ from: 'fallback', because: 'it belongs to user 54321' });
  });
});

describe('the cache', () => {
  it('is where the environment says, or as the XDG specification does', () => {
    expect(cacheHome()).toEqual({ path: join(folder, 'home/.cache/petri-vm'), from: 'default' });
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'xdg'));
    expect(cacheHome()).toEqual({ path: join(folder, 'xdg/petri-vm'), from: 'XDG_CACHE_HOME' });
    vi.stubEnv('PETRI_CACHE_DIR', join(folder, 'cache'));
    expect(cacheHome()).toEqual({ path: join(folder, 'cache'), from: 'PETRI_CACHE_DIR' });
    vi.stubEnv('PETRI_CACHE_DIR', 'relative');
    expect(() => cacheHome()).toThrow(/not an absolute path[^]*remedy/);
  });
});

describe('the folder of runs', () => {
  it('is in the project, or where the variable says', () => {
    expect(runsHome(join(folder, 'home'))).toEqual({ path: join(folder, 'home/.petri/runs'), from: 'default' });
    vi.stubEnv('PETRI_RUNS_DIR', '../elsewhere');
    expect(runsHome(join(folder, 'home'))).toEqual({ path: join(folder, 'elsewhere'), from: 'PETRI_RUNS_DIR' });
    vi.stubEnv('PETRI_RUNS_DIR', join(file, 'runs'));
    expect(() => runsHome(folder)).toThrow(/the folder of runs cannot be used: .*[^]*PETRI_RUNS_DIR/);
  });

  it('is below the temporary folder for each project that cannot be written to', () => {
    const [one, other] = [join(folder, 'one/app'), join(folder, 'other/app')];
    for (const project of [one, other]) {
      mkdirSync(project, { recursive: true });
      writeFileSync(join(project, '.petri'), '');
    }
    expect(runsHome(one)).toMatchObject({ from: 'fallback', because: expect.stringMatching(/ENOTDIR|no folder/) });
    expect(runsHome(one).path).toMatch(/petri-vm\.\w+\/runs\/app-[0-9a-f]{8}$/);
    expect(runsHome(one).path).not.toBe(runsHome(other).path);
  });
});

describe('what has no other place', () => {
  it('is for us alone', () => {
    const root = fallbackRoot();
    makeFallbackRoot(join(root, 'state'));
    expect(lstatSync(root).mode & 0o777).toBe(0o700);
    chmodSync(root, 0o777);
    makeFallbackRoot(join(root, 'state'));
    expect(lstatSync(root).mode & 0o777).toBe(0o700);
  });

  it('is made for no other path', () => {
    makeFallbackRoot(join(folder, 'state'));
    expect(lstatSync(fallbackRoot(), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('is refused behind a link, and where it is somebody else’s', () => {
    mkdirSync(join(folder, 'precious'));
    symlinkSync(join(folder, 'precious'), fallbackRoot());
    expect(() => makeFallbackRoot(join(fallbackRoot(), 'state'))).toThrow(
      /it is no folder[^]*remedy: .*PETRI_STATE_DIR/,
    );
    rmSync(fallbackRoot());
    if (process.getuid?.() !== 0) return;
    mkdirSync(fallbackRoot());
    chownSync(fallbackRoot(), 54321, 54321);
    expect(() => makeFallbackRoot(join(fallbackRoot(), 'state'))).toThrow(/it belongs to user 54321/);
  });

  it('needs a temporary folder', () => {
    vi.stubEnv('TMPDIR', join(folder, 'nowhere'));
    expect(() => temporaryHome()).toThrow(/the temporary folder cannot be used: .*nowhere[^]*remedy: .*TMPDIR/);
    vi.stubEnv('HOME', file);
    expect(() => stateHome()).toThrow('the temporary folder');
  });
});

describe('the home folder', () => {
  it('is that of the variable, and stands for ~ in paths', () => {
    expect(userHome()).toBe(join(folder, 'home'));
    expect(expandHome('~/.ssh/id_rsa')).toBe(join(folder, 'home/.ssh/id_rsa'));
    expect(expandHome('/etc/~/x')).toBe('/etc/~/x');
  });

  it('is that of the list of users where the variable says nothing', () => {
    vi.stubEnv('HOME', '');
    expect(userHome()).not.toBe('');
  });
});
