import { PetriError } from '../../../petri/errors.ts';

/** A defect of the engine, whatever the guest did: no later state of the guest can be trusted. */
export function engineFault(message: string, cause?: unknown): PetriError {
  return new PetriError(`the engine: ${message}`, {
    code: 'backend-fault',
    step: 'run',
    remedy: 'report it with the payload',
    cause,
  });
}
