import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { printError } from '../../text/index.ts';
import { isAlive, type ProcessIdentity } from './process-table.ts';
import { reap, reapRemoved } from './reap.ts';

/** How long a worker may live after its runner died. */
const ownerMs = 1000;
const attempts = 5;

/**
 * The reaper's work, called in its process.
 *
 * @param gone which one died; the owner may still be alive if it is the runner
 */
export async function runReaper(ledger: string, owner: ProcessIdentity, gone: 'owner' | 'runner'): Promise<void> {
  if (gone === 'runner') await endOwner(owner);
  for (let attempt = 1; ; attempt++) {
    const { left } = existsSync(ledger) ? await reap(ledger) : await reapRemoved(ledger, owner);
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
