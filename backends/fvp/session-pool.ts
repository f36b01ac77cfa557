import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BootError } from '../../petri/boot/index.ts';
import { PetriError } from '../../petri/errors.ts';
import type { VmSpec } from '../../petri/vm/spec.ts';
import { FvpSession, type SessionOptions } from './session.ts';
import type { InstalledStack } from './stack/installed.ts';
import { Turnstile } from './turnstile.ts';

/** A stack that does not boot is not tried for every test of a run. */
const MAX_FAILURES = 2;

export interface SessionUse {
  readonly stack: InstalledStack;
  readonly spec: VmSpec;
  /** Folder of the VM that asks. */
  readonly logDirectory: string;
  readonly log: (message: string) => void;
  readonly signal: AbortSignal;
  readonly onConsoles: SessionOptions['onConsoles'];
}

interface Failures {
  readonly key: string;
  readonly count: number;
  readonly error: Error;
}

/** The model of this process, which its VMs use in turn. */
export class SessionPool {
  readonly #turnstile = new Turnstile();
  #session: FvpSession | undefined;
  #used = false;
  #failures: Failures | undefined;

  /**
   * Waits for its turn, boots a model if there is none that will do, and works with it.
   *
   * @throws BootError, PetriError, and what `work` throws
   */
  async use<T>(use: SessionUse, work: (session: FvpSession) => Promise<T>): Promise<T> {
    const { payload } = use.spec;
    const leave = await this.#turnstile.enter(payload.name, use.signal, (why) => {
      use.log(`waits for its turn: ${why}`);
    });
    try {
      const session = await this.#ready(use);
      this.#used = true;
      return await work(session);
    } finally {
      if (this.#session?.broken !== undefined) {
        use.log(`the model is not used again: ${this.#session.broken}`);
        await this.#end();
      }
      leave();
    }
  }

  /** Ends the model, whoever uses it. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#failures = undefined;
    await this.#end();
  }

  async #ready(use: SessionUse): Promise<FvpSession> {
    if (this.#session?.broken !== undefined) {
      use.log(`the model is replaced: ${this.#session.broken}`);
      await this.#end();
    }
    if (use.spec.boot === 'fresh' && this.#used && this.#session !== undefined) {
      use.log('the model was used before, and the test asks for a fresh one');
      await this.#end();
    }
    if (this.#session !== undefined) {
      use.log(`runs on a model that is up: its logs are in ${this.#session.logs}`);
      use.onConsoles(this.#session.consoles);
      return this.#session;
    }
    return await this.#boot(use);
  }

  async #boot(use: SessionUse): Promise<FvpSession> {
    const key = failureKey(use.stack);
    const before = this.#failures?.key === key ? this.#failures : undefined;
    if (before !== undefined && before.count >= MAX_FAILURES) throw givenUp(before);
    try {
      const session = await FvpSession.boot({
        stack: use.stack,
        payload: use.spec.payload,
        logs: freeFolder(use.logDirectory),
        log: use.log,
        signal: use.signal,
        onConsoles: use.onConsoles,
      });
      this.#failures = undefined;
      this.#session = session;
      this.#used = false;
      return session;
    } catch (error) {
      const isOwn = error instanceof BootError && error.kind !== 'aborted';
      if (isOwn) this.#failures = { key, count: (before?.count ?? 0) + 1, error };
      throw error;
    }
  }

  async #end(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }
}

/** One for all copies of this module in a process: a test file may have its own. */
const POOL = Symbol.for('petri-vm.fvp.sessions');

export function sessionPool(): SessionPool {
  const home: Partial<Record<typeof POOL, SessionPool>> = globalThis as object;
  const pool = home[POOL] ?? new SessionPool();
  home[POOL] = pool;
  return pool;
}

/** Another stack, or another setting, may boot. */
function failureKey(stack: InstalledStack): string {
  const settings = Object.entries(process.env).filter(([name]) => name.startsWith('PETRI_'));
  return createHash('sha256')
    .update(JSON.stringify([stack, settings.sort()]))
    .digest('hex');
}

function givenUp({ count, error }: Failures): PetriError {
  const [reason = ''] = error.message.split('\n');
  return new PetriError(`the model did not boot ${count} times in a row and is not started again here: ${reason}`, {
    code: 'boot-failed',
    step: 'boot',
    remedy:
      'see the first test that failed for what each console printed; petri doctor --backend=fvp looks for what is missing',
    cause: error,
  });
}

function freeFolder(logDirectory: string): string {
  const base = join(logDirectory, 'fvp');
  for (let number = 1; ; number += 1) {
    const folder = number === 1 ? base : `${base}-${number}`;
    if (!existsSync(folder)) return folder;
  }
}
