export { ask, type CommandRunner, runSupervised, showCommand } from './command.ts';
export { examine, type ExaminedStep, type StepState } from './examine.ts';
export { digestFile, digestFiles, publishFile } from './files.ts';
export { expectFipContents, expectFipImages, type FipImage } from './fip.ts';
export { expectFormat, formats } from './formats.ts';
export { type GitSource, resolveRef, submodulesCommand } from './git-source.ts';
export { crossCompile, type LinuxKernel, linuxKernelStep } from './linux-kernel.ts';
export { beginLog } from './log-file.ts';
export { type Lock, type LockedSource, lockFields, LockFormat } from './lock-format.ts';
export type {
  PreparedStack,
  RebuildTarget,
  SourceOverride,
  StackManager,
  StackOption,
  StackRequest,
  StackSource,
} from './manager.ts';
export { plane0KernelStep } from './plane0-linux.ts';
export {
  commonPrograms,
  findProgram,
  headerShortage,
  type NeededProgram,
  prerequisitesStep,
  programShortages,
  roomShortage,
  rustShortage,
  type Shortage,
  tryAsk,
  versionOf,
} from './prerequisites.ts';
export { resolveLock, type ResolveRequest } from './resolve-lock.ts';
export { withRootLock } from './root-lock.ts';
export { checkRootPath } from './root-path.ts';
export { type RunOptions, type RunOutcome, runSteps, type StackReporter } from './run-steps.ts';
export { readSettings, writeSettings } from './settings.ts';
export {
  describeSources,
  digestGiven,
  expectDigests,
  forkNotes,
  lockedCheckoutStep,
  lockedRevisions,
} from './sources.ts';
export { writeAtomically } from './stamp.ts';
export type { Evidence, StackCommand, StackPlan, StackStep, StepContext } from './step.ts';
export { buildSimpleTmkStep, buildTmkVmmStep, givenTmkVmmStep } from './openvmm-programs.ts';
