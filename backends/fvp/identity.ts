import { realmLimits } from '../../petri/kit/cca/index.ts';

/** What the machines of this backend are known as. */
export const identity = { name: 'fvp', noun: 'model' } as const;

/** The host of 4 GiB keeps its own share. */
export const limits = realmLimits(2048 * 2 ** 20);
