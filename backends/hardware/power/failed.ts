import { PetriError } from '../../../petri/errors.ts';

export function failed(name: string, why: string, remedy: string, cause?: unknown): PetriError {
  return new PetriError(`the power of ${name} cannot be switched: ${why}`, {
    code: 'power-failed',
    step: 'run',
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}
