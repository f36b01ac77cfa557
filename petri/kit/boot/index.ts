export { BootError, type BootFailureKind } from './boot-error.ts';
export {
  crashesOn,
  edk2Crashes,
  finalPanicWords,
  hafniumCrashes,
  initCrashes,
  kvmtoolCrashes,
  linuxCrashes,
  panicWords,
  rmmConsoleCrashes,
  rmmCrashes,
  rustCrashes,
  tfaCrashes,
} from './crash-signatures.ts';
export type { BootReport, BootStage, CrashSignature, StageTime } from './stage.ts';
export { stagedBoot, type StagedBootOptions } from './staged-boot.ts';
export { vmClosed, VmLife } from './vm-life.ts';
