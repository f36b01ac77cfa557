import {
  type BackendLimits,
  cannotIsolate,
  type Feature,
  type IsolationType,
  type VmPayload,
} from '../../../petri/contract/index.ts';
import { imageKind, linuxKind } from './board/board-kind.ts';
import type { GuestKind, TmkKind } from './kind.ts';
import { plainKind } from './plain/plain-kind.ts';
import { realmKind } from './realm/realm-kind.ts';

const tmkKinds: readonly TmkKind[] = [realmKind, plainKind];

/** Every kind of guest, in the order in which users see them. */
export const guestKinds: readonly GuestKind[] = [...tmkKinds, linuxKind, imageKind];

/** The kind of guest for an isolation type and a kind of payload, if there is one. */
export function findKind(isolation: IsolationType, payload: VmPayload['kind']): GuestKind | undefined {
  return guestKinds.find((one) => one.isolation === isolation && one.payload === payload);
}

/** @throws PetriError `unsupported` if no guest has the isolation type */
export function tmkKind(isolation: IsolationType): TmkKind {
  const kind = tmkKinds.find((one) => one.isolation === isolation);
  if (kind !== undefined) return kind;
  const types = tmkKinds.map((one) => `'${one.isolation}'`);
  throw cannotIsolate('sim', isolation, `it makes ${types.join(' and ')}`);
}

/** What guests of an isolation type can show, whatever they boot. */
export function featuresByIsolation(kinds: readonly GuestKind[]): Partial<Record<IsolationType, readonly Feature[]>> {
  const all: Partial<Record<IsolationType, readonly Feature[]>> = {};
  for (const { isolation, features } of kinds) all[isolation] = [...new Set([...(all[isolation] ?? []), ...features])];
  return all;
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
