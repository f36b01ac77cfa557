import type ssh2 from 'ssh2';

import { PetriError } from '../../../petri/errors.ts';

let loading: Promise<typeof ssh2> | undefined;

/** The SSH client, which is not installed with the package. @throws PetriError `tool-missing` */
export function loadSsh2(): Promise<typeof ssh2> {
  loading ??= import('ssh2').then(
    (module) => module.default,
    (error: unknown) => {
      loading = undefined;
      throw new PetriError('the package ssh2 is not installed', {
        code: 'tool-missing',
        step: 'probe',
        remedy: 'npm install --save-dev ssh2',
        cause: error,
      });
    },
  );
  return loading;
}
