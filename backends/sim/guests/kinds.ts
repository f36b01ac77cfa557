import { type BackendLimits, type IsolationType, cannotIsolate } from '../../../petri/contract/index.ts';
import type { GuestKind } from './kind.ts';
import { plainKind } from './plain/plain-kind.ts';
import { realmKind } from './realm/realm-kind.ts';

/** Every kind of guest, in the order in which users see them. */
export const guestKinds: readonly GuestKind[] = [realmKind, plainKind];

/** @throws PetriError `unsupported` if no guest has the isolation type */
export function guestKind(isolation: IsolationType): GuestKind {
  const kind = guestKinds.find((one) => one.isolation === isolation);
  if (kind !== undefined) return kind;
  const types = guestKinds.map((one) => `'${one.isolation}'`);
  throw cannotIsolate('sim', isolation, `it makes ${types.join(' and ')}`);
}

/** The widest limits of all kinds. */
export function widestLimits(kinds: readonly GuestKind[]): BackendLimits {
  const most = (of: (limits: BackendLimits) => number): number => Math.max(...kinds.map(({ limits }) => of(limits)));
  return {
    maxMemory: most(({ maxMemory }) => maxMemory),
    maxVcpus: most(({ maxVcpus }) => maxVcpus),
    maxPlanes: most(({ maxPlanes }) => maxPlanes),
  };
}
