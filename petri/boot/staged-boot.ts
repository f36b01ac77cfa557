import type { SerialConsole } from '../serial/index.ts';
import type { BootReport, BootStage, CrashSignature, StageTime } from './stage.ts';

export interface StagedBootOptions {
  /** In the order in which they are reached. */
  readonly stages: readonly BootStage[];
  readonly consoles: ReadonlyMap<string, SerialConsole>;
  /** Looked for on all consoles from the first stage to the last. */
  readonly crashes: readonly CrashSignature[];
  readonly signal?: AbortSignal;
  /** Resolves with how the machine ended, as a clause, if it does. */
  readonly exited?: Promise<string>;
  /** What is running now, for messages: `FVP model (pid 123)`. */
  readonly running?: () => string;
  /** @default `$PETRI_SLOW_FACTOR`, or 1 */
  readonly slowFactor?: number;
  readonly onStage?: (stage: StageTime) => void;
}

/**
 * Waits for the stages of a boot, one after the other. What a console printed before its turn counts; every console is
 * watched for crashes all the time.
 *
 * @throws BootError when a stage is not reached
 */
export function stagedBoot(options: StagedBootOptions): Promise<BootReport> {
  return Promise.reject(new Error(`not there yet: ${String(options.stages.length)} stages`));
}
