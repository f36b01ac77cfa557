import type { Registers } from '../../contract/index.ts';

/** PSTATE.M[3:2], the Exception level. */
const EL_SHIFT = 2n;
const EL2 = 2n;

/** Whether the guest was running, not the monitor at EL2. */
export function isGuestMode({ pstate }: Pick<Registers, 'pstate'>): boolean {
  return ((pstate >> EL_SHIFT) & 3n) < EL2;
}
