import { hostname, userInfo } from 'node:os';

/** The right to use a host. */
export interface Lease {
  /** File on the host that is there as long as the lease is held, where it has one. */
  readonly file?: string;
  /** Resolves with why when it is not held any more though nobody here gave it back. Never rejects. */
  readonly lost: Promise<string>;
  /** How many others waited for it when that was last asked. */
  readonly waiting: number;
  /** Resolves when somebody else waits for it. */
  readonly wanted?: Promise<void>;
  /** Gives it back. Idempotent; never rejects: what cannot be given back expires. */
  release(): Promise<void>;
}

export interface LeaseWait {
  readonly signal?: AbortSignal | undefined;
  /** Told why it waits when it begins to, and when the reason changes. */
  readonly onWait?: ((why: string) => void) | undefined;
}

/** `user@machine:pid`, as others see it. */
export function leaseOwner(): string {
  const clean = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 64);
  let user = 'unknown';
  try {
    user = userInfo().username;
  } catch {
    // A user without an entry in the system's list, as in some containers.
  }
  return `${clean(user)}@${clean(hostname())}:${String(process.pid)}`;
}
