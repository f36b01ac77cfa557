import { lazy } from '../../../../petri/lazy.ts';
import type { TmkKind } from '../kind.ts';
import { MAX_MEMORY, MAX_VCPUS, MIB } from '../board-limits.ts';

/** A TMK in an ordinary VM. */
export const plainKind: TmkKind = {
  isolation: 'none',
  payload: 'tmk',
  features: [
    'serial.fast',
    'tmk',
    'tmk.events',
    'tmk.rejections',
    'reset',
    'inspect.registers',
    'fp.environment',
    'sp.alignment',
    'memory.holes',
    'interrupts',
    'instruction-budget',
  ],
  // Planes are of realms: how many a test asks for is ignored.
  limits: { minMemory: 4 * MIB, maxMemory: MAX_MEMORY, maxVcpus: MAX_VCPUS, maxPlanes: 3 },
  load: lazy(async () => (await import('./plain-guest.ts')).plainGuests),
};
