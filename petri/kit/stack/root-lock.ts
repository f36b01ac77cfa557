import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { lock } from 'proper-lockfile';
import { z } from 'zod';

import { PetriError } from '../../errors.ts';
import { writeAtomically } from './stamp.ts';

export interface RootLockOptions {
  /** Milliseconds after which the lock of a dead process may be taken over. @default 10000 */
  readonly stale?: number;
  readonly signal?: AbortSignal;
  /** Called once if the lock of a dead process has to expire first. */
  readonly onWait?: (why: string) => void;
}

const holderSchema = z.object({ pid: z.number(), host: z.string(), since: z.string() });
type Holder = z.infer<typeof holderSchema>;

/**
 * Prevents other processes from building in the same folder while `use` runs. The lock of a killed process is waited
 * for until it is stale.
 *
 * @throws PetriError `stack-busy` if another process holds it
 */
export async function withRootLock<T>(root: string, options: RootLockOptions, use: () => Promise<T>): Promise<T> {
  const { stale = 10_000, signal, onWait } = options;
  await mkdir(root, { recursive: true });
  const holderFile = join(root, '.lock-holder.json');
  const settings = { lockfilePath: join(root, '.lock'), stale, update: Math.max(1000, stale / 5) };
  const deadline = Date.now() + stale + 5000;
  let release: (() => Promise<void>) | undefined;
  for (let told = false; release === undefined;) {
    try {
      release = await lock(root, settings);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
      const holder = await readHolder(holderFile);
      if ((holder !== undefined && isAlive(holder)) || Date.now() > deadline || signal?.aborted === true) {
        throw busy(root, holder, error);
      }
      if (!told) onWait?.('the process that worked on this folder died; waiting until its lock expires');
      told = true;
      await sleep(100);
    }
  }
  try {
    const holder: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
    await writeAtomically(holderFile, `${JSON.stringify(holder)}\n`);
    return await use();
  } finally {
    await release();
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  // Processes on another machine cannot be checked.
  if (holder.host !== hostname()) return true;
  if (holder.pid === process.pid) return true;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function busy(root: string, holder: Holder | undefined, cause: Error): PetriError {
  const who =
    holder === undefined
      ? 'another process'
      : `process ${String(holder.pid)} on ${holder.host}, since ${holder.since},`;
  return new PetriError(`${who} is working on ${root}`, {
    code: 'stack-busy',
    step: 'install',
    remedy: 'wait until it has finished, or give another folder with --root',
    cause,
  });
}
