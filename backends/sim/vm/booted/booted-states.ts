import { join } from 'node:path';

import { cacheHome } from '../../../../petri/homes/index.ts';
import type { BootedState } from './booted-state.ts';
import { StateFolder } from './state-folder.ts';

/** States in memory: each is about as large as what its guest has in its RAM. */
const MAX_STATES = 2;

/** Booted states of this thread, and on disk. */
export class BootedStates {
  readonly #folder: () => StateFolder;
  /** The one that was used last is last. */
  readonly #states = new Map<string, Promise<BootedState | undefined>>();

  constructor(folder: () => StateFolder) {
    this.#folder = folder;
  }

  /**
   * The state of a key: one that is in memory, on disk, or made. Whoever asks while it is made waits for it.
   *
   * @param make is called at most once; returns undefined where there is nothing to keep
   * @param log called with what keeps the disk from being used: everything works without it
   */
  async get(
    key: string,
    make: () => Promise<BootedState | undefined>,
    log: (message: string) => void,
  ): Promise<BootedState | undefined> {
    const known = this.#states.get(key);
    this.#states.delete(key);
    const state = known ?? this.#load(key, make, log);
    this.#states.set(key, state);
    for (const oldest of this.#states.keys()) {
      if (this.#states.size <= MAX_STATES) break;
      this.#states.delete(oldest);
    }
    const found = await state.catch((error: unknown) => {
      this.#forget(key, state);
      throw error;
    });
    if (found === undefined) this.#forget(key, state);
    return found;
  }

  #forget(key: string, state: Promise<BootedState | undefined>): void {
    if (this.#states.get(key) === state) this.#states.delete(key);
  }

  async #load(
    key: string,
    make: () => Promise<BootedState | undefined>,
    log: (message: string) => void,
  ): Promise<BootedState | undefined> {
    const tried = async <T>(what: string, use: (folder: StateFolder) => Promise<T>): Promise<T | undefined> => {
      try {
        return await use(this.#folder());
      } catch (error) {
        log(`a booted state cannot be ${what}: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      }
    };
    const found = await tried('read', (folder) => folder.find(key));
    if (found !== undefined) return found;
    const made = await make();
    if (made !== undefined) await tried('kept', (folder) => folder.keep(key, made));
    return made;
  }
}

/** Those of this thread. */
export const bootedStates = new BootedStates(() => new StateFolder(join(cacheHome().path, 'states')));
