import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BootError } from '../../boot/index.ts';
import { PetriError } from '../../../errors.ts';
import { shared } from '../../../shared.ts';
import type { TmkPayload, VmSpec } from '../../../contract/index.ts';
import type { HostPlatform } from './host-platform.ts';
import { HostSession, type SessionOptions } from './host-session.ts';
import { Turnstile } from './turnstile.ts';

/** A stack that fails to boot is not tried for every test of a run. */
const MAX_FAILURES = 2;

export interface SessionUse {
  readonly platform: HostPlatform;
  readonly spec: VmSpec<TmkPayload>;
  /** Log folder of the VM that uses the machine. */
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

/** The machine of this process, which its VMs use one after another. */
export class SessionPool {
  readonly #turnstile: Turnstile;
  readonly #noun: string;
  #session: HostSession | undefined;
  #used = false;
  #failures: Failures | undefined;

  /** @param noun what its machine is called */
  constructor(noun: string) {
    this.#noun = noun;
    this.#turnstile = new Turnstile(`the ${noun}`);
  }

  /**
   * Waits for its turn, boots a machine unless there is one that fits, and passes it to `work`.
   *
   * @throws BootError, PetriError, and what `work` throws
   */
  async use<T>(use: SessionUse, work: (session: HostSession) => Promise<T>): Promise<T> {
    const { payload } = use.spec;
    const leave = await this.#turnstile.enter(payload.name, use.signal, (why) => {
      use.log(`waiting for its turn: ${why}`);
    });
    try {
      const session = await this.#ready(use);
      this.#used = true;
      return await work(session);
    } finally {
      if (this.#session?.broken !== undefined) {
        use.log(`the ${this.#noun} cannot be used again: ${this.#session.broken}`);
        await this.#end();
      }
      leave();
    }
  }

  /** Ends the machine, even if it is in use. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#failures = undefined;
    await this.#end();
  }

  async #ready(use: SessionUse): Promise<HostSession> {
    if (this.#session?.broken !== undefined) {
      use.log(`the ${this.#noun} is replaced: ${this.#session.broken}`);
      await this.#end();
    }
    if (this.#session !== undefined && this.#session.key !== use.platform.key) {
      use.log(`the ${this.#noun} was booted from another stack`);
      await this.#end();
    }
    if (use.spec.machine === 'fresh' && this.#used && this.#session !== undefined) {
      use.log(`the ${this.#noun} was used before, and the test asks for a fresh one`);
      await this.#end();
    }
    if (this.#session !== undefined) {
      use.log(`runs on a ${this.#noun} that is up: its logs are in ${this.#session.logs}`);
      use.onConsoles(this.#session.consoles);
      return this.#session;
    }
    return await this.#boot(use);
  }

  async #boot(use: SessionUse): Promise<HostSession> {
    const key = failureKey(use.platform);
    const before = this.#failures?.key === key ? this.#failures : undefined;
    if (before !== undefined && before.count >= MAX_FAILURES) throw givenUp(use.platform, before);
    try {
      const session = await HostSession.boot({
        platform: use.platform,
        payload: use.spec.payload,
        logs: freeFolder(use.logDirectory, use.platform.name),
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

const pools = shared('cca-sessions', () => new Map<string, SessionPool>());

/** The pool of a platform. */
export function sessionPool({ name, noun }: Pick<HostPlatform, 'name' | 'noun'>): SessionPool {
  const pool = pools.get(name) ?? new SessionPool(noun);
  pools.set(name, pool);
  return pool;
}

/** Identifies a stack with its settings: another one may boot. */
function failureKey({ key }: HostPlatform): string {
  const settings = Object.entries(process.env).filter(([name]) => name.startsWith('PETRI_'));
  return createHash('sha256')
    .update(JSON.stringify([key, settings.sort()]))
    .digest('hex');
}

function givenUp({ name, noun }: HostPlatform, { count, error }: Failures): PetriError {
  const [reason = ''] = error.message.split('\n');
  return new PetriError(`the ${noun} did not boot ${count} times in a row and is not started again here: ${reason}`, {
    code: 'boot-failed',
    step: 'boot',
    remedy: `see the first test that failed for what each console printed; petri doctor --backend=${name} looks for what is missing`,
    cause: error,
  });
}

function freeFolder(logDirectory: string, name: string): string {
  const base = join(logDirectory, name);
  for (let number = 1; ; number += 1) {
    const folder = number === 1 ? base : `${base}-${number}`;
    if (!existsSync(folder)) return folder;
  }
}
