// Acts as a worker of a test run: runs tests on the backend, one after another, and prints each result. It ends when
// its runner does.
import { join } from 'node:path';

import { load } from '../../../bin/load.mjs';

process.on('disconnect', () => process.exit(1));
if (!process.connected) process.exit(1);

const { builtinBackends } = await load('backends/index');
const { launchVm, resolveVmConfig } = await load('petri/vm/index');
const { tmk } = await load('petri/payload/index');

const [, , directory] = process.argv;
const backend = await builtinBackends.fvp.load();
const payload = tmk('hello');

for (let number = 0; ; number++) {
  let verdict;
  try {
    const vm = await launchVm(
      backend,
      { isolation: 'cca', payload: { ...payload, test: 'boot' }, config: resolveVmConfig(), machine: 'shared' },
      { directory: join(directory, String(number)), features: ['tmk', 'reset'] },
    );
    try {
      ({ verdict } = await vm.tmk.run('boot'));
    } finally {
      await vm.dispose();
    }
  } catch (error) {
    verdict = error instanceof Error && 'code' in error ? error.code : String(error);
    // Reset the pool, which would give up after two failed boots.
    await backend.close();
  }
  if (process.connected) process.send(verdict);
}
