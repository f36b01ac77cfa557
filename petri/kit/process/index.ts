export { type InterruptibleOptions, interruptRunning, runInterruptible } from './interruptible.ts';
export type { ReapReport } from './reap.ts';
export { Supervisor } from './supervisor.ts';
export { sweep, type SweepReport, waitForRun } from './sweep.ts';
export type {
  ContainerRegistration,
  ContainerRuntime,
  ProcessExit,
  Slot,
  SlotWait,
  SpawnOptions,
  StopOptions,
  StopReport,
  SupervisedProcess,
  TemporaryFolder,
} from './types.ts';
