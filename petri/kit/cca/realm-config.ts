import type { VmConfig } from '../../contract/index.ts';
import type { RealmRequest } from './agent-protocol.ts';

const MIB = 2 ** 20;

/** The parameters for kvmtool. */
export function realmRequest(config: VmConfig): RealmRequest {
  return {
    memory: config.memory / MIB,
    algorithm: config.measurementAlgorithm === 'sha-512' ? 'sha512' : 'sha256',
    rpv: config.rpv.subarray(0, config.rpv.findLastIndex((byte) => byte !== 0) + 1),
  };
}

/** Realms with the same key are interchangeable for tests. */
export function realmKey({ memory, algorithm, rpv }: RealmRequest): string {
  return `${memory} MiB, ${algorithm}, rpv '${Buffer.from(rpv).toString('hex')}'`;
}
