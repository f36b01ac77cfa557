import type ssh2 from 'ssh2';

import { PetriError } from '../../../petri/errors.ts';
import { lazy } from '../../../petri/lazy.ts';

/**
 * The SSH client, loaded when a host is first contacted: no other backend needs it. @throws PetriError `tool-missing`
 */
export const loadSsh2 = lazy(async (): Promise<typeof ssh2> => {
  try {
    return (await import('ssh2')).default;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PetriError(`the package ssh2, which petri-vm depends on, cannot be loaded: ${why}`, {
      code: 'tool-missing',
      step: 'probe',
      remedy: 'install the dependencies again: npm ci, or npm install',
      cause: error,
    });
  }
});
