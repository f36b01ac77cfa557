import { setTimeout as sleep } from 'node:timers/promises';

import { printError } from '../../text/index.ts';
import { isAlive, type ProcessIdentity } from './process-table.ts';
import { reap } from './reap.ts';

/** How long a worker may go on after its runner died. */
const ownerMs = 1000;
const attempts = 5;

/**
 * What the reaper does once it has something to do. Called in its process.
 *
 * @param owner where it may live still, since it is the runner that is gone
 */
export async function runReaper(ledger: string, owner: ProcessIdentity | undefined): Promise<void> {
  if (owner !== undefined) await endOwner(owner);
  for (let attempt = 1; ; attempt++) {
    const { left } = await reap(ledger);
    if (left.length === 0) return;
    if (attempt === attempts) {
      printError(`${left.join('\n')}\n`);
      process.exitCode = 1;
      return;
    }
    await sleep(attempt * 1000);
  }
}

/** A worker is of no use without its runner, and may not notice that it is alone. */
async function endOwner(owner: ProcessIdentity): Promise<void> {
  const deadline = performance.now() + ownerMs;
  while (isAlive(owner)) {
    if (performance.now() >= deadline) {
      process.kill(owner.pid, 'SIGKILL');
      return;
    }
    await sleep(20);
  }
}
