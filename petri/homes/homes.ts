import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { basename, isAbsolute, join, resolve, sep } from 'node:path';

import { PetriError } from '../errors.ts';
import { makePrivate, requireUsable, unusable, whyUnusable } from './folders.ts';

/** Where something is kept, and who said so. */
export interface Home {
  /** Absolute. It need not exist. */
  readonly path: string;
  /** A variable, 'default', or 'fallback' where that cannot be used. */
  readonly from: string;
  /** Of a fallback: what is wrong with the default. */
  readonly because?: string;
}

export const stateVariable = 'PETRI_STATE_DIR';
export const runsVariable = 'PETRI_RUNS_DIR';
export const cacheVariable = 'PETRI_CACHE_DIR';

/**
 * Where it is written down what runs on this machine: `$PETRI_STATE_DIR`, else `petri-vm` in `$XDG_STATE_HOME` or
 * ~/.local/state. Where that cannot be used, as by a user without a home folder: in {@link fallbackRoot}.
 *
 * @throws PetriError `state-directory` for a variable that is not an absolute path, `folder-unusable` without a
 *   temporary folder
 */
export function stateHome(): Home {
  const below = ['.local', 'state'];
  return homeOf({ own: stateVariable, xdg: 'XDG_STATE_HOME', below, name: 'state', code: 'state-directory' });
}

/**
 * Where is kept what can be made again: `$PETRI_CACHE_DIR`, else `petri-vm` in `$XDG_CACHE_HOME` or ~/.cache, else in
 * {@link fallbackRoot}.
 *
 * @throws PetriError `folder-unusable` for a variable that is not an absolute path, or without a temporary folder
 */
export function cacheHome(): Home {
  const below = ['.cache'];
  return homeOf({ own: cacheVariable, xdg: 'XDG_CACHE_HOME', below, name: 'cache', code: 'folder-unusable' });
}

interface UserFolder {
  /** Our variable, and that of the XDG base directory specification. */
  readonly own: string;
  readonly xdg: string;
  /** Its default below the home folder. */
  readonly below: readonly string[];
  /** In {@link fallbackRoot}. */
  readonly name: string;
  readonly code: 'state-directory' | 'folder-unusable';
}

function homeOf({ own: ownVariable, xdg: xdgVariable, below, name, code }: UserFolder): Home {
  const own = variable(ownVariable);
  if (own !== undefined) {
    if (isAbsolute(own)) return { path: own, from: ownVariable };
    throw new PetriError(`${ownVariable} is not an absolute path: ${own}`, {
      code,
      step: 'options',
      remedy: 'give it the absolute path of a folder of your own',
    });
  }
  const xdg = variable(xdgVariable);
  // The XDG base directory specification: a path that is not absolute is to be ignored.
  const isXdg = xdg !== undefined && isAbsolute(xdg);
  const home = isXdg ? undefined : userHome();
  const parent = isXdg ? xdg : home === undefined ? undefined : join(home, ...below);
  const fallback = (because: string): Home => ({ path: join(fallbackRoot(), name), from: 'fallback', because });
  if (parent === undefined) return fallback('this user has no home folder');
  const path = join(parent, 'petri-vm');
  const why = whyUnusable(path, { own: true });
  return why === undefined ? { path, from: isXdg ? xdgVariable : 'default' } : fallback(why);
}

/**
 * The folder of the runs of a project: `$PETRI_RUNS_DIR`, relative to the project's root, else `.petri/runs` there.
 * Where the project cannot be written to, the runs are below {@link fallbackRoot}, in a folder named for the project.
 *
 * @throws PetriError `folder-unusable` for a variable that names a folder which cannot be used, or without a temporary
 *   folder
 */
export function runsHome(root: string): Home {
  const own = variable(runsVariable);
  if (own !== undefined) {
    const path = resolve(root, own);
    requireUsable('the folder of runs', path, `let ${runsVariable} name a folder that can be written to`);
    return { path, from: runsVariable };
  }
  const path = resolve(root, '.petri', 'runs');
  const because = whyUnusable(path);
  if (because === undefined) return { path, from: 'default' };
  const hash = createHash('sha256').update(resolve(root)).digest('hex').slice(0, 8);
  const name = `${basename(resolve(root)).replaceAll(/[^\w.-]/g, '_')}-${hash}`;
  return { path: join(fallbackRoot(), 'runs', name), from: 'fallback', because };
}

/** The system's folder for temporary files, by its real path. @throws PetriError `folder-unusable` */
export function temporaryHome(): string {
  const path = tmpdir();
  try {
    return realpathSync(path);
  } catch (error) {
    throw unusable('the temporary folder', path, error, 'let TMPDIR name a folder that can be written to');
  }
}

/**
 * Where we keep what has no other place: `petri-vm.UID` in the temporary folder. Others can write there too, so that it
 * is to be used only after {@link makeFallbackRoot}.
 *
 * @throws PetriError `folder-unusable` without a temporary folder
 */
export function fallbackRoot(): string {
  return join(temporaryHome(), `petri-vm.${process.getuid?.() ?? 'user'}`);
}

/**
 * Makes {@link fallbackRoot} if a path is in it.
 *
 * @throws PetriError `folder-unusable` where it is a link or somebody else's
 */
export function makeFallbackRoot(path: string): void {
  const root = fallbackRoot();
  if (!path.startsWith(root + sep)) return;
  try {
    makePrivate(root);
  } catch (error) {
    throw unusable(
      'the folder for what has no other place',
      root,
      error,
      `remove it, let TMPDIR name a folder of your own, or set ${stateVariable} and ${runsVariable}`,
    );
  }
}

/** The home folder of this user, where there is one. Never throws. */
export function userHome(): string | undefined {
  // Without the variable, Node asks the system's list of users, where not every user is, as in containers.
  for (const ask of [homedir, () => userInfo().homedir]) {
    try {
      const path = ask();
      if (isAbsolute(path)) return path;
    } catch {
      // Not in the list.
    }
  }
  return undefined;
}

/** A path as the user wrote it, with ~ for the home folder. Without a home folder it stays as it is. */
export function expandHome(path: string): string {
  const home = path.startsWith('~/') ? userHome() : undefined;
  return home === undefined ? path : join(home, path.slice(2));
}

function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === undefined || value === '' ? undefined : value;
}
