import { createServer } from 'node:net';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { readLedger } from './read-ledger.ts';

const attempts = 50;

/** A free TCP port of 127.0.0.1 that is in no ledger. @throws PetriError `unsupported` */
export async function findFreePort(ledgers: string): Promise<number> {
  const taken = portsIn(ledgers);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = await anyPort();
    if (!taken.has(port)) return port;
  }
  throw new PetriError('there is no free TCP port', {
    code: 'unsupported',
    step: 'launch',
    remedy: 'end something that listens: ss --listening --tcp shows what does',
  });
}

function portsIn(ledgers: string): Set<number> {
  const ports = new Set<number>();
  for (const name of readdirSync(ledgers)) {
    const state = name.endsWith('.ndjson') ? readLedger(join(ledgers, name)) : undefined;
    if (state === undefined || 'unreadable' in state) continue;
    for (const { thing } of state.open) {
      if (thing.kind === 'port') ports.add(thing.port);
    }
  }
  return ports;
}

function anyPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('the listener has no port'));
      });
    });
  });
}
