import { machineSlots } from '../../petri/kit/cca/index.ts';

/** What machines of this kind are counted under, over all processes of this machine. */
export const SLOT_POOL = 'fvp-model';

/** Bytes that a model has in use at its highest: 4.8 GiB were seen with `dram_size=4` and one realm. */
export const MODEL_MEMORY = 6 * 2 ** 30;

/** The model's own thread, and those of its devices and of our tests. */
const MODEL_CORES = 2;

/**
 * How many models may run on this machine at once: by its memory and its cores, or `$PETRI_FVP_MODELS`.
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
