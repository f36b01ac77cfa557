import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

import { makeFallbackRoot, makePrivate } from '../../../../petri/homes/index.ts';
import type { BootedState } from './booted-state.ts';
import { readState, writeState } from './state-file.ts';

/** Bytes of all files together. */
const MAX_BYTES = 2 * 2 ** 30;
/** Milliseconds after which whoever writes a file has ended without removing it. */
const ABANDONED = 600_000;
const STATE = '.state';
/** While it is written: who has made this file is the only one who writes. */
const PART = '.state.part';

/**
 * Booted states on disk, by key. It is a cache: what is damaged is removed, what was not used for longest makes room
 * for what is new, and files may be removed at any time. Processes may share it.
 */
export class StateFolder {
  readonly #path: string;
  readonly #limit: number;

  /** @param limit bytes of all files together @default 2 GiB */
  constructor(path: string, limit = MAX_BYTES) {
    this.#path = path;
    this.#limit = limit;
  }

  /** @returns undefined if there is none @throws Error of the system */
  async find(key: string): Promise<BootedState | undefined> {
    const path = this.#file(key);
    if (!(await exists(path))) return undefined;
    const state = await readState(path);
    if (state === undefined) {
      await rm(path, { force: true });
      return undefined;
    }
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return state;
  }

  /** Keeps a state, unless another process is about to. @throws Error of the system */
  async keep(key: string, state: BootedState): Promise<void> {
    makeFallbackRoot(this.#path);
    makePrivate(this.#path);
    const part = join(this.#path, `${key}${PART}`);
    const file = await claim(part);
    if (file === undefined) return;
    try {
      try {
        await writeState(file, state);
      } finally {
        await file.close();
      }
      await rename(part, this.#file(key));
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    await this.#trim(key);
  }

  #file(key: string): string {
    return join(this.#path, `${key}${STATE}`);
  }

  /** Removes those that were not used for longest, but the newest. */
  async #trim(newest: string): Promise<void> {
    const names = (await readdir(this.#path)).filter((name) => name.endsWith(STATE) && name !== `${newest}${STATE}`);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#path, name);
        const found = await stat(path).catch(() => undefined);
        return { path, used: found?.mtimeMs ?? 0, bytes: found?.size ?? 0 };
      }),
    );
    let left = this.#limit - (await stat(this.#file(newest)).catch(() => ({ size: 0 }))).size;
    for (const { path, bytes } of files.sort((a, b) => b.used - a.used)) {
      left -= bytes;
      if (left < 0) await rm(path, { force: true });
    }
  }
}

/** Makes a file that nobody else has. @returns undefined if somebody writes it */
async function claim(path: string): ReturnType<typeof tryClaim> {
  const file = await tryClaim(path);
  if (file !== undefined) return file;
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && Date.now() - found.mtimeMs < ABANDONED) return undefined;
  await rm(path, { force: true });
  return await tryClaim(path);
}

async function tryClaim(path: string): Promise<Awaited<ReturnType<typeof open>> | undefined> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
