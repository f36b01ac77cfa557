import { inject } from 'vitest';

import { setTestEnvironment } from '../test/environment.ts';
import { pace, runDirectory, selectedBackend, selectedIsolation } from './selection.ts';
import { userConfigModule } from './user-config.ts';

// A function cannot be sent to a worker. A backend that only the configuration file knows is found by reading that file here.
if (inject('petri')?.userBackend === true) {
  const loaded: unknown = await import(/* @vite-ignore */ userConfigModule);
  const config =
    typeof loaded === 'object' && loaded !== null ? (Reflect.get(loaded, 'default') as unknown) : undefined;
  if (typeof config === 'function') {
    await (config as (environment: object) => unknown)({ command: 'serve', mode: 'test' });
  }
}

setTestEnvironment({
  selectedBackend,
  selectedIsolation,
  pace,
  runDirectory,
  tags: inject('petriConfigured') === true,
});
