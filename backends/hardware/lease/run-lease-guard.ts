import { createInterface } from 'node:readline';

import { HostFolder } from '../remote/host-folder.ts';
import { RemoteHost } from '../ssh/remote-host.ts';
import { FileLeases } from './file-lease.ts';
import type { GuardedLease, GuardLine } from './lease-guard.ts';

/** The guard of leases: waits until its owner has died, and gives back what the owner did not. */
export async function main(): Promise<void> {
  const held = new Map<string, GuardedLease>();
  await new Promise<void>((resolve) => {
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (text) => {
      // Only its own process writes to this input.
      const content = JSON.parse(text) as GuardLine;
      if ('hold' in content) held.set(content.hold.id, content.hold);
      else held.delete(content.drop);
    });
    lines.once('close', resolve);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
  await Promise.allSettled([...held.values()].map(giveBack));
  process.exit();
}

async function giveBack({ id, host: config }: GuardedLease): Promise<void> {
  if (config.lease.kind !== 'file') return;
  const host = new RemoteHost({ ...config, reconnect: Math.min(config.reconnect, 5) });
  try {
    const home = await HostFolder.open(host);
    // What runs under the lease ends with it.
    await new FileLeases(host, home, config.lease).giveBack(id);
  } finally {
    host.close();
  }
}
