import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { PetriError } from '../../../petri/errors.ts';
import type { HostFolder } from '../remote/host-folder.ts';
import type { RemoteHost } from '../ssh/remote-host.ts';
import { dropLease, guardLease } from './lease-guard.ts';
import { leaseOwner, type Lease, type LeaseWait } from './lease.ts';

/**
 * Milliseconds between two queries while waiting: less than a third of the time after which a place is lost (lease.sh).
 */
const ASK = 1000;

export interface LeaseState {
  readonly holders: readonly LeaseUser[];
  /** In the order of arrival. */
  readonly waiting: readonly LeaseUser[];
}

export interface LeaseUser {
  readonly owner: string;
  /** Seconds. */
  readonly since: number;
}

export interface FileLeaseConfig {
  readonly folder: string;
  /** Seconds without renewal after which it expires. */
  readonly expires: number;
  /** Milliseconds between two renewals. @default a quarter of `expires`, at most 5 s */
  readonly renewal?: number;
}

/** Milliseconds: a renewal also reports to the holder that others wait, however long its lease lasts. */
const MAX_RENEWAL = 5000;

/** The leases of a host that are kept in a folder there. */
export class FileLeases {
  readonly #host: RemoteHost;
  readonly #home: HostFolder;
  readonly #folder: string;
  readonly #expires: number;
  readonly #renewal: number;

  constructor(host: RemoteHost, home: HostFolder, config: FileLeaseConfig) {
    this.#renewal = config.renewal ?? Math.min(MAX_RENEWAL, (Math.ceil(config.expires) * 1000) / 4);
    this.#host = host;
    this.#home = home;
    this.#folder = `${config.folder}/${host.name}`;
    this.#expires = Math.ceil(config.expires);
  }

  /**
   * Waits for its turn.
   *
   * @throws PetriError `wait-timeout` when the signal aborts, `lease-lost` if leases cannot be kept,
   * `connection-failed`
   */
  async acquire({ signal, onWait }: LeaseWait = {}): Promise<Lease> {
    const id = randomBytes(16).toString('hex');
    const { capacity } = this.#host.config;
    const argv = ['acquire', this.#folder, String(capacity), String(this.#expires), id, leaseOwner()];
    let told: string | undefined;
    try {
      await guardLease({ id, host: this.#host.config });
      for (;;) {
        signal?.throwIfAborted();
        const answer = await this.#ask(argv);
        if (answer[0] === 'granted') return this.#hold(id, answer.slice(1).join(' '));
        const why = describeWait(this.#host.name, answer);
        if (why !== told) onWait?.(why);
        told = why;
        await sleep(ASK, undefined, signal === undefined ? {} : { signal });
      }
    } catch (error) {
      await this.#release(id);
      if (error instanceof PetriError) throw error;
      throw new PetriError(`waiting for ${this.#host.name} was aborted: ${told ?? 'it had just begun'}`, {
        code: 'wait-timeout',
        step: 'launch',
        remedy: 'npx petri hosts shows who has it; give the test more time, or the lab more machines',
        cause: error,
      });
    }
  }

  async show(): Promise<LeaseState> {
    const { stdout } = await this.#run(['show', this.#folder]);
    const users = stdout.split('\n').flatMap((line) => {
      const [, kind, since, owner] = /^(holder|waiting) (\d+) (\S+)$/.exec(line) ?? [];
      return kind === undefined || owner === undefined ? [] : [{ kind, owner, since: Number(since) }];
    });
    const those = (wanted: string): LeaseUser[] =>
      users.flatMap(({ kind, owner, since }) => (kind === wanted ? [{ owner, since }] : []));
    return { holders: those('holder'), waiting: those('waiting') };
  }

  /** Takes the lease from its holders; what runs under it ends. @returns the number of holders */
  async break(): Promise<number> {
    const [, count] = await this.#ask(['break', this.#folder]);
    return Number(count);
  }

  #hold(id: string, file: string): Lease {
    let lose: (why: string) => void = () => undefined;
    const lost = new Promise<string>((resolve) => (lose = resolve));
    let want: () => void = () => undefined;
    const wanted = new Promise<void>((resolve) => (want = resolve));
    let waiting = 0;
    let renewed = performance.now();
    let renewing = false;
    const renew = async (): Promise<void> => {
      if (renewing) return;
      renewing = true;
      try {
        const [answer, others] = await this.#ask(['renew', this.#folder, String(this.#expires), id]);
        if (answer === 'held') {
          renewed = performance.now();
          waiting = Number(others);
          if (waiting > 0) want();
        } else {
          clearInterval(timer);
          lose(`the lease of ${this.#host.name} was taken away (petri hosts release, or a reboot)`);
        }
      } catch {
        // The next renewal may still be in time.
        if (performance.now() - renewed > this.#expires * 1000) {
          clearInterval(timer);
          lose(`the lease of ${this.#host.name} expired: it was not reached for ${String(this.#expires)} s`);
        }
      } finally {
        renewing = false;
      }
    };
    const timer = setInterval(() => void renew(), this.#renewal);
    timer.unref();
    let releasing: Promise<void> | undefined;
    return {
      file,
      lost,
      wanted,
      get waiting() {
        return waiting;
      },
      release: () => {
        clearInterval(timer);
        releasing ??= this.#release(id);
        return releasing;
      },
    };
  }

  async #release(id: string): Promise<void> {
    // If it cannot be given back, it expires.
    await this.giveBack(id).catch(() => undefined);
    await dropLease(id);
  }

  /** Gives back a lease, possibly one of another process. @throws PetriError `connection-failed` */
  async giveBack(id: string): Promise<void> {
    await this.#run(['release', this.#folder, id]);
  }

  async #ask(argv: readonly string[]): Promise<string[]> {
    const { code, stdout, stderr } = await this.#run(argv);
    const answer = stdout.split('\n').findLast((line) => line !== '') ?? '';
    if (code === 0 && /^(granted|waiting|held|lost|released|not-held|broken)\b/.test(answer)) return answer.split(' ');
    const { why, remedy } = explain(answer, stderr.trim());
    throw new PetriError(`${this.#host.name} cannot keep leases in ${this.#folder}: ${why}`, {
      code: 'lease-lost',
      step: 'launch',
      remedy,
    });
  }

  async #run(argv: readonly string[]): Promise<{ code: number | undefined; stdout: string; stderr: string }> {
    const script = await this.#home.script('lease.sh');
    return await this.#host.run(['sh', script, ...argv], { again: true });
  }
}

/** Explains lease.sh's output when leases cannot be kept. */
function explain(answer: string, stderr: string): { readonly why: string; readonly remedy: string } {
  if (answer === 'missing flock') return { why: 'it has no program flock', remedy: 'install util-linux there' };
  const [, unsafe] = /^unsafe (.*)/.exec(answer) ?? [];
  if (unsafe !== undefined) {
    return {
      why: `other users there can replace what is in ${unsafe}`,
      remedy: `let root make it with: install -d -m 1777 ${unsafe}; or name another as lease.folder in the hosts file`,
    };
  }
  const [, theirs] = /^not ours: (.*)/.exec(answer) ?? [];
  if (theirs !== undefined) {
    return {
      why: `${theirs} was made by another user`,
      remedy: 'let root remove it, or name another folder as lease.folder in the hosts file',
    };
  }
  return {
    why: `${answer} ${stderr}`,
    remedy: 'look whether the folder can be written to there, or name another as lease.folder in the hosts file',
  };
}

function describeWait(name: string, [, place = '?', seconds = '?', owner = 'somebody']: readonly string[]): string {
  const long = Number(seconds) >= 60 ? `${String(Math.floor(Number(seconds) / 60))} min` : 'less than a minute';
  return `${name} is used by ${owner} for ${long}; we are number ${place} in the queue`;
}
