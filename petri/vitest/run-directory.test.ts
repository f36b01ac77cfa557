import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { makeRunDirectory, pruneRuns, runDirectoryPath } from './run-directory.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'petri-runs-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

// Above the highest PID of Linux.
const deadPid = 2 ** 22 + 1;

function makeRun(minute: number, pid = deadPid): string {
  const path = runDirectoryPath(join(root, '.petri/runs'), new Date(Date.UTC(2026, 0, 2, 3, minute)), pid);
  makeRunDirectory(path);
  return path;
}

describe('the run directory', () => {
  it('is named for the time and the process', () => {
    expect(basename(makeRun(4, 77))).toBe('2026-01-02_03-04-00.000-77');
  });

  it('can be made by several workers', () => {
    const path = makeRun(1);
    mkdirSync(join(path, 'a test'));
    makeRun(1);
    expect(existsSync(join(path, 'a test'))).toBe(true);
  });

  it('is what `latest` points to', () => {
    makeRun(1);
    const second = makeRun(2);
    expect(readlinkSync(join(root, '.petri/runs/latest'))).toBe(basename(second));
  });

  it('is kept until ten others exist, and as long as its process lives', async () => {
    const alive = makeRun(0, process.pid);
    const oldest = makeRun(1);
    for (let minute = 2; minute <= 9; minute++) makeRun(minute);
    await pruneRuns(makeRun(10));
    expect(existsSync(oldest)).toBe(true);
    await pruneRuns(makeRun(11));
    expect(existsSync(oldest)).toBe(false);
    expect(existsSync(alive)).toBe(true);
    expect(readdirSync(join(root, '.petri/runs')).filter((name) => name !== 'latest')).toHaveLength(11);
  });

  it('may be the first, with nothing to remove', async () => {
    await expect(pruneRuns(runDirectoryPath(join(root, '.petri/runs'), new Date(), deadPid))).resolves.toBeUndefined();
  });
});
