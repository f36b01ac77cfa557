import { setTimeout as sleep } from 'node:timers/promises';

import { printError } from '../../text/index.ts';
import { isAlive, type ProcessIdentity } from './process-table.ts';
import { reap } from './reap.ts';

/** How long a worker may live after its runner died. */
const ownerMs = 1000;
const attempts = 5;

/**
 * The reaper's work, called in its process.
 *
 * @param owner if it may still be alive, because it is the runner that died
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

/** A worker is useless without its runner, and may not notice that it has died. */
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
