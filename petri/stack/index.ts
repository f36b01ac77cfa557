export { ask, type CommandRunner, runSupervised, showCommand } from './command.ts';
export { examine, type ExaminedStep, type StepState } from './examine.ts';
export { digestFile, digestFiles, publishFile } from './files.ts';
export { checkoutStep, fullCommit, type GitSource, resolveRef } from './git-source.ts';
export type {
  PreparedStack,
  RebuildTarget,
  SourceOverride,
  StackManager,
  StackRequest,
  StackSource,
} from './manager.ts';
export { type RunOptions, type RunOutcome, runSteps, type StackReporter } from './run-steps.ts';
export { writeAtomically } from './stamp.ts';
export type { Evidence, StackCommand, StackPlan, StackStep, StepContext } from './step.ts';
