import { fileURLToPath } from 'node:url';

import { packageRoot } from '../../../petri/package-root.ts';
import { shared } from '../../../petri/shared.ts';
import { Supervisor, type SupervisedProcess } from '../../../petri/kit/process/index.ts';
import type { HostConfig } from '../hosts/schema.ts';

/** Milliseconds for giving leases back after a run has ended without doing so. */
const GRACE = 8000;
const MODULE = 'backends/hardware/lease/run-lease-guard';
const START = 'const [loader, path] = process.argv.slice(1); await (await (await import(loader)).load(path)).main();';

/** The guard's data of a lease. */
export interface GuardedLease {
  readonly id: string;
  /** Contains names of environment variables, but no secrets. */
  readonly host: HostConfig;
}

export type GuardLine = { readonly hold: GuardedLease } | { readonly drop: string };

const own = shared<{ guard?: Promise<SupervisedProcess> }>('lease-guard', () => ({}));

/**
 * Ensures that a lease is given back when this process ends, in whatever way: a worker is ended by a signal, a runner
 * is killed. A second process learns of that by the end of its input, or by the signal of the reaper, and notifies the
 * host. If it cannot, the lease expires.
 *
 * @throws PetriError what starting a process throws
 */
export async function guardLease(lease: GuardedLease): Promise<void> {
  (await guard()).stdin.write(line({ hold: lease }));
}

/** Called when a lease was given back. */
export async function dropLease(id: string): Promise<void> {
  const running = await own.guard?.catch(() => undefined);
  if (running?.exit === undefined) running?.stdin.write(line({ drop: id }));
}

/** Ends the guard. Idempotent; never rejects. */
export async function endLeaseGuard(): Promise<void> {
  const running = await own.guard?.catch(() => undefined);
  delete own.guard;
  running?.stdin.end();
  await running?.exited;
  await running?.stop();
}

async function guard(): Promise<SupervisedProcess> {
  const running = await own.guard?.catch(() => undefined);
  if (running !== undefined && running.exit === undefined) return running;
  own.guard = startGuard();
  return await own.guard;
}

async function startGuard(): Promise<SupervisedProcess> {
  const supervisor = await Supervisor.open();
  return await supervisor.spawn({
    name: 'guard of leases',
    command: process.execPath,
    args: ['--input-type=module', '-e', START, fileURLToPath(new URL('bin/load.mjs', packageRoot)), MODULE],
    graceMs: GRACE,
  });
}

function line(content: GuardLine): string {
  return `${JSON.stringify(content)}\n`;
}
