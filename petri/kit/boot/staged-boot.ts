import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { PetriError } from '../../errors.ts';
import type { SerialConsole } from '../../serial/index.ts';
import type { BootError } from './boot-error.ts';
import { bootError, type BootEnd } from './boot-report.ts';
import { CrashWatch } from './crash-watch.ts';
import { slowFactor } from '../../slow-factor.ts';
import type { BootReport, BootStage, CrashSignature, StageTime } from './stage.ts';

/** The stages of a boot, and what is watched during them. */
export interface StagedBootOptions {
  /** In the order in which they are reached. */
  readonly stages: readonly BootStage[];
  /** By the names that the stages and the signatures use. */
  readonly consoles: ReadonlyMap<string, SerialConsole>;
  /** Looked for on all consoles from the first stage to the last. */
  readonly crashes: readonly CrashSignature[];
  /** Ends the wait when it aborts, with a `BootError` of kind `aborted`. */
  readonly signal?: AbortSignal;
  /** Resolves with how the machine ended, as a clause; ideally after the consoles have received its last output. */
  readonly exited?: Promise<string>;
  /** What is running now, as a clause for messages: `FVP model (pid 123) is running`. */
  readonly running?: () => string;
  /** @default `$PETRI_SLOW_FACTOR`, or 1 */
  readonly slowFactor?: number;
  /** Called with each stage that was reached. */
  readonly onStage?: (stage: StageTime) => void;
  /** Called at the start of each stage, with its deadline in milliseconds. */
  readonly onWait?: (stage: BootStage, deadline: number) => void;
}

/**
 * Waits for the stages of a boot one after the other, each from the position where the previous one left its console.
 * Text printed before a stage starts counts too; every console is watched for crashes all the time.
 *
 * @throws BootError when a stage is not reached
 * @throws PetriError `invalid-option` for a stage on a console that does not exist, and for an invalid pattern
 */
export async function stagedBoot(options: StagedBootOptions): Promise<BootReport> {
  const factor = options.slowFactor ?? slowFactor();
  const waits = options.stages.map((stage) => ({ stage, console: consoleOf(stage, options.consoles) }));
  const watch = new CrashWatch(options.consoles, options.crashes);
  const reached: StageTime[] = [];
  try {
    for (const { stage, console } of waits) {
      const started = performance.now();
      options.onWait?.(stage, stage.deadline * factor);
      const end = await waitForStage(stage, console, watch, options, factor);
      const milliseconds = performance.now() - started;
      if (end !== undefined) throw failure(end, stage, milliseconds, reached, options, factor);
      const time = { name: stage.name, milliseconds };
      reached.push(time);
      options.onStage?.(time);
    }
    return { stages: reached };
  } finally {
    watch.stop();
  }
}

function consoleOf(stage: BootStage, consoles: ReadonlyMap<string, SerialConsole>): SerialConsole {
  const console = consoles.get(stage.console);
  if (console !== undefined) return console;
  throw new PetriError(`boot stage '${stage.name}' is on console '${stage.console}', which does not exist`, {
    code: 'invalid-option',
    step: 'boot',
    remedy: `name one of: ${[...consoles.keys()].join(', ')}`,
  });
}

/** How the stage ended the boot; `undefined` when it was reached. */
async function waitForStage(
  stage: BootStage,
  console: SerialConsole,
  watch: CrashWatch,
  { signal, exited }: StagedBootOptions,
  factor: number,
): Promise<BootEnd | undefined> {
  if (signal?.aborted === true) return { kind: 'aborted', reason: signal.reason };
  const over = new AbortController();
  const marker = console
    .waitFor(stage.marker, {
      timeout: stage.deadline * factor,
      signal: signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]),
    })
    .then(
      (): BootEnd | undefined => undefined,
      (error: unknown) => endOfWait(error, console, signal),
    );
  try {
    const end = await Promise.race([
      watch.found.then((crash): BootEnd => ({ kind: 'crash', crash })),
      ...(exited === undefined ? [] : [exited.then((how): BootEnd => ({ kind: 'exited', how }))]),
      marker,
    ]);
    // Text that arrived with the marker, or with the end of the machine, may report a crash.
    await turn();
    if (end?.kind === 'aborted' || watch.crash === undefined) return end;
    return { kind: 'crash', crash: watch.crash, ...(end?.kind === 'exited' ? { how: end.how } : {}) };
  } finally {
    over.abort();
  }
}

function endOfWait(error: unknown, console: SerialConsole, signal: AbortSignal | undefined): BootEnd {
  if (!(error instanceof PetriError)) throw error;
  if (error.code === 'console-closed') {
    return { kind: 'exited', how: `console '${console.name}' ended: ${console.closeReason ?? 'it was closed'}` };
  }
  if (error.code !== 'wait-timeout') throw error;
  return signal?.aborted === true ? { kind: 'aborted', reason: signal.reason } : { kind: 'deadline', cause: error };
}

function failure(
  end: BootEnd,
  stage: BootStage,
  milliseconds: number,
  reached: readonly StageTime[],
  { consoles, running }: StagedBootOptions,
  factor: number,
): BootError {
  return bootError({ end, stage, milliseconds, reached, consoles, factor, running: running?.() });
}
