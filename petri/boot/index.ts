export { BootError, type BootFailureKind } from './boot-error.ts';
export { slowFactor } from './slow-factor.ts';
export type { BootReport, BootStage, CrashSignature, StageTime } from './stage.ts';
export { stagedBoot, type StagedBootOptions } from './staged-boot.ts';
