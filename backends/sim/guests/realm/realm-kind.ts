import { lazy } from '../../../../petri/lazy.ts';
import type { GuestKind } from '../kind.ts';
import { MAX_MEMORY, MAX_VCPUS, MIB } from '../board-limits.ts';

/** A TMK in plane 1 of a realm. */
export const realmKind: GuestKind = {
  isolation: 'cca',
  features: [
    'serial.fast',
    'tmk',
    'tmk.events',
    'tmk.rejections',
    'reset',
    'planes',
    'inspect.exits',
    'inspect.registers',
    'realm.config',
    'realm.measurements',
    'realm.ripas',
    'sp.alignment',
    'memory.holes',
    'instruction-budget',
  ],
  limits: {
    // Room for plane 0 beside the 4 MiB of the payload.
    minMemory: 8 * MIB,
    maxMemory: MAX_MEMORY,
    maxVcpus: MAX_VCPUS,
    maxPlanes: 3,
    ipaWidth: {
      min: 33,
      max: 48,
      reason: 'a TMK needs its command page at 0xffff0000 in the protected half of the IPA space',
    },
  },
  load: lazy(async () => (await import('./realm-guest.ts')).realmGuests),
};
