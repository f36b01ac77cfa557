export { ExitLog } from './exit-log.ts';
export { accessBytes, completeRead, hasValidSyndrome, isWrite, writeValueHigh, writeValueLow } from './data-abort.ts';
export { PlaneRunCore, type PlaneOutcome, type PlaneRunEnvironment } from './plane-run-core.ts';
export type { PlaneLaunch } from './plane-launch.ts';
