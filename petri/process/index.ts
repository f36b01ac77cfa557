export { Supervisor } from './supervisor.ts';
export type {
  ContainerRegistration,
  ContainerRuntime,
  ProcessExit,
  RunIdentity,
  Slot,
  SlotWait,
  SpawnOptions,
  StopOptions,
  StopReport,
  SupervisedProcess,
  TemporaryFolder,
} from './types.ts';
