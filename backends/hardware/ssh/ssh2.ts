import type ssh2 from 'ssh2';

import { PetriError } from '../../../petri/errors.ts';

let loading: Promise<typeof ssh2> | undefined;

/**
 * The SSH client. Loaded when a host is first reached: no other backend pays for it. @throws PetriError `tool-missing`
 */
export function loadSsh2(): Promise<typeof ssh2> {
  loading ??= import('ssh2').then(
    (module) => module.default,
    (error: unknown) => {
      loading = undefined;
      throw new PetriError(
        `the package ssh2, which petri-vm depends on, cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
        {
          code: 'tool-missing',
          step: 'probe',
          remedy: 'install the dependencies again: npm ci, or npm install',
          cause: error,
        },
      );
    },
  );
  return loading;
}
