import { realmLimits } from '../../petri/kit/cca/index.ts';

/** Name of the backend, and of its machines. */
export const identity = { name: 'fvp', noun: 'model' } as const;

/** The host has 4 GiB, of which it needs a share itself. */
export const limits = realmLimits(2048 * 2 ** 20);
