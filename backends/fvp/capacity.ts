import { machineSlots } from '../../petri/kit/cca/index.ts';

/** Name of the pool of models, over all processes of this computer. */
export const SLOT_POOL = 'fvp-model';

/** Peak memory of a model in bytes: 4.8 GiB were observed with `dram_size=4` and one realm. */
export const MODEL_MEMORY = 6 * 2 ** 30;

/** For the model's own thread, and those of its devices and of our tests. */
const MODEL_CORES = 2;

/**
 * How many models may run on this computer at once: limited by its memory and cores, or set by `$PETRI_FVP_MODELS`.
 *
 * @throws PetriError `invalid-option`
 */
export function modelSlots(
  env?: Readonly<Record<string, string | undefined>>,
  here?: { readonly memory: number; readonly cores: number },
): number {
  const each = { variable: 'PETRI_FVP_MODELS', noun: 'models', memory: MODEL_MEMORY, cores: MODEL_CORES };
  return machineSlots(each, env, here);
}
