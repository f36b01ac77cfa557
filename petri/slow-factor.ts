import { PetriError } from './errors.ts';

/** The variable that stretches every budget of a boot. */
const VARIABLE = 'PETRI_SLOW_FACTOR';

/**
 * How many times slower than usual this machine is, from `$PETRI_SLOW_FACTOR`.
 *
 * @default 1
 * @throws PetriError `invalid-option` for anything but a positive number of at most 1000
 */
export function slowFactor(environment: Readonly<Record<string, string | undefined>> = process.env): number {
  const value = environment[VARIABLE];
  if (value === undefined || value === '') return 1;
  const factor = Number(value);
  if (factor > 0 && factor <= 1000) return factor;
  throw new PetriError(`${VARIABLE} is ${JSON.stringify(value)}, which is not a factor`, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'give a number above 0 and up to 1000, such as 2 on a machine half as fast as usual',
  });
}
