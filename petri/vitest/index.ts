export {
  type BackendReport,
  backendNames,
  closeLoadedBackends,
  isUserBackend,
  loadBackend,
  requireBackend,
  surveyBackends,
} from './backends.ts';
export {
  backendVariable,
  checkIsolation,
  isolationVariable,
  resolveOptions,
  splitArguments,
  strictSkipsVariable,
} from './options.ts';
export { configuredOptions } from './plugin-options.ts';
export { inspectingPlugin } from './project-selection.ts';
export type { ProvidedSurvey } from './provided.ts';
export { makeRunDirectory, pruneRuns, runDirectoryPath, runsNote } from './run-directory.ts';
export { configurationSeen } from './seen.ts';
export { VM_TEST_TIMEOUT } from './vm-defaults.ts';
