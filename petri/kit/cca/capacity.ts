import { availableParallelism, totalmem } from 'node:os';
import { PetriError } from '../../errors.ts';

export interface Capacity {
  /** Environment variable that sets the number. */
  readonly variable: string;
  /** Plural name of the machines: 'models'. */
  readonly noun: string;
  /** Bytes and cores that one machine uses. */
  readonly memory: number;
  readonly cores: number;
}

/**
 * How many machines of a kind may run at once on this computer: limited by its memory and cores, or set by the
 * variable. At least one.
 *
 * @throws PetriError `invalid-option`
 */
export function machineSlots(
  { variable, noun, memory, cores }: Capacity,
  env: Readonly<Record<string, string | undefined>> = process.env,
  here: { readonly memory: number; readonly cores: number } = { memory: totalmem(), cores: availableParallelism() },
): number {
  const given = env[variable];
  if (given !== undefined && given !== '') {
    if (/^[1-9]\d{0,2}$/.test(given)) return Number(given);
    throw new PetriError(`${variable} is ${JSON.stringify(given)}, which is not a number of ${noun}`, {
      code: 'invalid-option',
      step: 'options',
      remedy: 'give a whole number from 1 to 999, or leave it out',
    });
  }
  return Math.max(1, Math.min(Math.floor(here.memory / memory), Math.floor(here.cores / cores)));
}
