import { hostname, userInfo } from 'node:os';

/** The right to use a host. */
export interface Lease {
  /** File on the host that exists as long as the lease is held, if there is one. */
  readonly file?: string;
  /** Resolves with the reason if the lease is lost without having been given back here. Never rejects. */
  readonly lost: Promise<string>;
  /** How many others waited for it at the last query. */
  readonly waiting: number;
  /** Resolves when another process waits for it. */
  readonly wanted?: Promise<void>;
  /** Gives it back. Idempotent; never rejects: what cannot be given back expires. */
  release(): Promise<void>;
}

export interface LeaseWait {
  readonly signal?: AbortSignal | undefined;
  /** Called with the reason for waiting when it begins, and when the reason changes. */
  readonly onWait?: ((why: string) => void) | undefined;
}

/** `user@machine:pid`, shown to others. */
export function leaseOwner(): string {
  const clean = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 64);
  let user = 'unknown';
  try {
    user = userInfo().username;
  } catch {
    // The user has no entry in passwd, as in some containers.
  }
  return `${clean(user)}@${clean(hostname())}:${String(process.pid)}`;
}
