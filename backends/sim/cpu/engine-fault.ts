import { PetriError } from '../../../petri/errors.ts';

/** The engine itself went wrong, whatever the guest did: nothing that the guest shows from here on could be trusted. */
export function engineFault(message: string, cause?: unknown): PetriError {
  return new PetriError(`the engine: ${message}`, {
    code: 'backend-fault',
    step: 'run',
    remedy: 'report it with the payload',
    cause,
  });
}
