import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { withRootLock } from './root-lock.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'petri-root-lock-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const stale = 600_000;
const lock = (): string => join(root, '.lock');

/** Creates the lock as a killed process leaves it. */
function leave(pid: number): void {
  mkdirSync(lock());
  writeFileSync(join(root, '.lock-holder.json'), JSON.stringify({ pid, host: hostname(), since: 'today' }));
}

describe('the lock of a folder', () => {
  it('keeps others out, and names its holder', async () => {
    await withRootLock(root, { stale }, async () => {
      await expect(withRootLock(root, { stale }, async () => undefined)).rejects.toMatchObject({
        code: 'stack-busy',
        message: expect.stringContaining(`process ${process.pid} on ${hostname()}`) as string,
      });
    });
    expect(await withRootLock(root, { stale }, async () => 'free again')).toBe('free again');
  });

  it('of a dead process is waited for until it expires', async () => {
    leave(2 ** 22 + 1);
    const why: string[] = [];
    const onWait = (reason: string): void => {
      why.push(reason);
      utimesSync(lock(), 0, 0);
    };
    const holder = await withRootLock(root, { stale, onWait }, async () =>
      readFileSync(join(root, '.lock-holder.json'), 'utf8'),
    );
    expect(why).toEqual([expect.stringContaining('died')]);
    expect(JSON.parse(holder)).toMatchObject({ pid: process.pid });
  });

  it('is not waited for any longer when the signal aborts', async () => {
    leave(2 ** 22 + 1);
    const abort = new AbortController();
    const waiting = withRootLock(root, { stale, signal: abort.signal, onWait: () => abort.abort() }, async () => 1);
    await expect(waiting).rejects.toMatchObject({ code: 'stack-busy' });
  });
});
