import { beforeAll, inject, type RunnerTestSuite } from 'vitest';

import { setTestEnvironment } from '../run/index.ts';
import { declareFeatures } from '../contract/index.ts';
import { pace, runDirectory, selectedBackend, selectedIsolation, surveyed } from './selection.ts';
import { leaveNothingBehind } from './shared-worker.ts';
import { userConfigModule } from './user-config.ts';

// A function cannot be sent to a worker, so a backend that the configuration file defines is found by reading that file
// again.
const survey = inject('petriSurvey');
if (inject('petri')?.userBackend === true || survey?.backends.some(({ userBackend }) => userBackend) === true) {
  const loaded: unknown = await import(/* @vite-ignore */ userConfigModule);
  const config =
    typeof loaded === 'object' && loaded !== null ? (Reflect.get(loaded, 'default') as unknown) : undefined;
  if (typeof config === 'function') {
    await (config as (environment: object) => unknown)({ command: 'serve', mode: 'test' });
  }
}

declareFeatures(inject('petriFeatures') ?? {});
setTestEnvironment({
  selectedBackend,
  selectedIsolation,
  pace,
  runDirectory,
  tags: inject('petriConfigured') === true,
  ...(survey === undefined ? {} : { survey: await surveyed(survey) }),
});

if (inject('petriShared') === true) leaveNothingBehind();

// Outside of the time of any test or hook: how long it takes depends on the machine.
// vitest reads the first parameter's pattern.
// eslint-disable-next-line no-empty-pattern
beforeAll(async ({}, suite) => {
  if (runsVm(suite)) await selectedBackend();
}, 0);

/** Whether a test of a VM is about to run in a suite. */
function runsVm(suite: RunnerTestSuite): boolean {
  return suite.tasks.some(
    (task) => task.mode === 'run' && (task.type === 'suite' ? runsVm(task) : task.meta.petri !== undefined),
  );
}
