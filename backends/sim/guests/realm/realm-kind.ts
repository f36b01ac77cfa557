import { lazy } from '../../../../petri/lazy.ts';
import type { TmkKind } from '../kind.ts';
import { MAX_MEMORY, MAX_VCPUS, MIB } from '../board-limits.ts';

/** Bits of the narrowest IPA whose lower half has the command page of a TMK. */
const MIN_IPA_WIDTH = 33;

/** A TMK in plane 1 of a realm. */
export const realmKind: TmkKind = {
  isolation: 'cca',
  payload: 'tmk',
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
    'fp.environment',
    'sp.alignment',
    'memory.holes',
    'instruction-budget',
  ],
  limits: {
    // Room for plane 0 in addition to the payload's 4 MiB.
    minMemory: 8 * MIB,
    maxMemory: MAX_MEMORY,
    maxVcpus: MAX_VCPUS,
    maxPlanes: 3,
  },
  refuses: ({ config: { ipaWidth } }) =>
    ipaWidth >= MIN_IPA_WIDTH
      ? undefined
      : `a TMK needs its command page at 0xffff0000 in the protected half of the IPA space: ` +
        `an IPA width of at least ${MIN_IPA_WIDTH} bits, not ${ipaWidth}`,
  load: lazy(async () => (await import('./realm-guest.ts')).realmGuests),
};
