import { lazy } from '../../../../petri/lazy.ts';
import type { BoardKind } from '../kind.ts';
import { MAX_MEMORY, MIB } from '../board-limits.ts';

/** Linux on a simulated machine. */
export const linuxKind: BoardKind = {
  isolation: 'none',
  payload: 'linux',
  features: ['serial.write', 'serial.fast', 'linux', 'exec', 'reset', 'inspect.registers', 'instruction-budget'],
  // Debian's kernel does not boot with less.
  limits: { minMemory: 128 * MIB, maxMemory: MAX_MEMORY, maxVcpus: 8, maxPlanes: 3 },
  load: lazy(async () => (await import('./linux-guest.ts')).linuxGuests),
};
