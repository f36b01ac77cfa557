import { availableParallelism, totalmem } from 'node:os';
import { PetriError } from '../../petri/errors.ts';

/** What machines of this kind are counted under, over all processes of this machine. */
export const SLOT_POOL = 'fvp-model';

/** Bytes that a model has in use at its highest: 4.8 GiB were seen with `dram_size=4` and one realm. */
export const MODEL_MEMORY = 6 * 2 ** 30;

/** The model's own thread, and those of its devices and of our tests. */
const MODEL_CORES = 2;

const VARIABLE = 'PETRI_FVP_MODELS';

/**
 * How many models may run on this machine at once: by its memory and its cores, or `$PETRI_FVP_MODELS`.
 *
 * @throws PetriError `invalid-option`
 */
export function modelSlots(
  env: Readonly<Record<string, string | undefined>> = process.env,
  machine: { readonly memory: number; readonly cores: number } = { memory: totalmem(), cores: availableParallelism() },
): number {
  const given = env[VARIABLE];
  if (given !== undefined && given !== '') {
    if (/^[1-9]\d{0,2}$/.test(given)) return Number(given);
    throw new PetriError(`${VARIABLE} is ${JSON.stringify(given)}, which is not a number of models`, {
      code: 'invalid-option',
      step: 'options',
      remedy: 'give a whole number from 1 to 999, or leave it out',
    });
  }
  return Math.max(1, Math.min(Math.floor(machine.memory / MODEL_MEMORY), Math.floor(machine.cores / MODEL_CORES)));
}
