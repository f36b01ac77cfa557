import { mkdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { type Home, makeFallbackRoot, runsVariable, unusable } from '../homes/index.ts';

const kept = 10;

/**
 * Path of the folder of a run that starts now: `<UTC time>-<pid>` in the folder of the project's runs.
 *
 * @param runs absolute; see `runsHome`
 */
export function runDirectoryPath(runs: string, now: Date, pid: number): string {
  const time = now.toISOString().replaceAll(':', '-').replace('T', '_').replace('Z', '');
  return join(runs, `${time}-${String(pid)}`);
}

/** A note if runs are kept outside of the project without the user's request; otherwise undefined. */
export function runsNote({ path, from, because }: Home): string | undefined {
  if (from !== 'fallback') return undefined;
  return `.petri/runs cannot be written to (${because ?? ''}): runs are kept in ${path}; ${runsVariable} names another folder`;
}

/**
 * Creates the folder of a run, unless it exists. Its creator also updates `latest`.
 *
 * @throws PetriError `folder-unusable`
 */
export function makeRunDirectory(path: string): void {
  const runs = dirname(path);
  makeFallbackRoot(runs);
  try {
    mkdirSync(runs, { recursive: true });
    mkdirSync(path);
    pointLatest(runs, basename(path));
  } catch (error) {
    // Another worker of this run was first, and does the rest.
    if (isErrno(error, 'EEXIST') && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
    throw unusable('the folder of runs', runs, error, `let ${runsVariable} name a folder that can be written to`);
  }
}

function pointLatest(runs: string, name: string): void {
  const fresh = join(runs, `.latest-${name}`);
  try {
    // A rename replaces the old link atomically, even if two runs begin at the same time.
    symlinkSync(name, fresh, 'dir');
    renameSync(fresh, join(runs, 'latest'));
  } catch (error) {
    rmSync(fresh, { force: true });
    // Some file systems have no symbolic links; the link is not essential.
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EEXIST', 'EISDIR')) throw error;
  }
}

/**
 * Removes old runs, except the last ten and those whose process lives. Deleting the folders of thousands of tests takes
 * a while: it runs concurrently, and the next run continues with the rest.
 *
 * @param path the folder of this run, which need not exist yet
 */
export async function pruneRuns(path: string): Promise<void> {
  const runs = dirname(path);
  // Names start with the time, so they sort by it.
  const names = (await readdir(runs).catch(() => [])).filter(
    (name) => /^\d{4}-.*-\d+$/.test(name) && name !== basename(path),
  );
  for (const name of names.sort().slice(0, 1 - kept)) {
    if (isAlive(Number(name.slice(name.lastIndexOf('-') + 1)))) continue;
    await rm(join(runs, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}

function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
