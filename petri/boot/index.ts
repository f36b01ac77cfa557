export { BootError, type BootFailureKind } from './boot-error.ts';
export { crashSignatures, edk2Crashes, linuxCrashes, rmmCrashes, tfaCrashes } from './crash-signatures.ts';
export { slowFactor } from './slow-factor.ts';
export type { BootReport, BootStage, CrashSignature, StageTime } from './stage.ts';
export { stagedBoot, type StagedBootOptions } from './staged-boot.ts';
