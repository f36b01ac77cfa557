import type { Feature, ImagePayload, LinuxPayload } from '../../../../petri/contract/index.ts';
import { lazy } from '../../../../petri/lazy.ts';
import { MAX_MEMORY, MIB } from '../board-limits.ts';
import type { BoardKind } from '../kind.ts';

const features: readonly Feature[] = [
  'serial.write',
  'serial.fast',
  'reset',
  'snapshot',
  'inspect.registers',
  'instruction-budget',
];
const limits = { minMemory: 4 * MIB, maxMemory: MAX_MEMORY, maxVcpus: 8, maxPlanes: 3 };

/** Linux on a simulated board. Debian's kernel does not boot with less memory. */
export const linuxKind: BoardKind<LinuxPayload> = {
  isolation: 'none',
  payload: 'linux',
  features: [...features, 'linux', 'exec'],
  limits: { ...limits, minMemory: 128 * MIB },
  load: lazy(async () => (await import('./linux-guest.ts')).linuxGuests),
};

/** Bare-metal code and firmware on a simulated board. */
export const imageKind: BoardKind<ImagePayload> = {
  isolation: 'none',
  payload: 'image',
  features: [...features, 'image'],
  limits,
  load: lazy(async () => (await import('./image-guest.ts')).imageGuests),
};
