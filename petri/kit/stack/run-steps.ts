import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { PetriError } from '../../errors.ts';
import { Supervisor } from '../process/index.ts';
import { type CommandRunner, runSupervised, throwIfInterrupted } from './command.ts';
import { examineStep, stampInputs, type StepState } from './examine.ts';
import { appendToLog, beginLog } from './log-file.ts';
import { type RootLockOptions, withRootLock } from './root-lock.ts';
import { Stamps } from './stamp.ts';
import type { Evidence, StackPlan, StackStep, StepContext } from './step.ts';

/** Receives progress reports. */
export interface StackReporter {
  /** A step is skipped, since its outputs exist and are as they should be. */
  skipped(step: StackStep, position: number, count: number): void;
  started(step: StackStep, position: number, count: number, why: readonly string[], log: string): void;
  finished(step: StackStep, position: number, count: number, seconds: number): void;
  failed(step: StackStep, position: number, count: number, seconds: number): void;
  waiting(why: string): void;
  /** Something about a step that the user must see although it is not a failure. */
  note(step: StackStep, message: string): void;
  /** A line of a step's output, as its tool wrote it. Without it, output only goes to the logs. */
  output?(step: StackStep, line: string): void;
}

export interface RunOptions {
  readonly reporter: StackReporter;
  readonly signal: AbortSignal;
  /** Steps to run even if they are done. */
  readonly force?: ReadonlySet<string>;
  /** @default under supervision */
  readonly run?: CommandRunner;
  readonly lock?: RootLockOptions;
}

export interface RunOutcome {
  /** Names of the steps that ran, except checks. */
  readonly ran: readonly string[];
  readonly skipped: readonly string[];
}

/**
 * Builds a stack according to its plan: runs the steps that are not done, in order. A step is done if its stamp has the
 * current inputs and its outputs match the stamp, which is written last.
 *
 * @throws PetriError of the step that failed; `stack-busy`, `interrupted`
 */
export async function runSteps(plan: StackPlan, options: RunOptions): Promise<RunOutcome> {
  const { signal, reporter } = options;
  const lockOptions = { signal, onWait: (why: string) => reporter.waiting(why), ...options.lock };
  return await withRootLock(plan.root, lockOptions, async () => await new Installation(plan, options).run());
}

class Installation {
  readonly #plan: StackPlan;
  readonly #options: RunOptions;
  readonly #stamps: Stamps;
  readonly #known = new Map<string, Evidence>();

  constructor(plan: StackPlan, options: RunOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#stamps = new Stamps(plan.root);
  }

  async run(): Promise<RunOutcome> {
    const force = this.#options.force ?? new Set();
    await mkdir(join(this.#plan.root, 'logs'), { recursive: true });
    // Sweeps what a killed installation left running, before anything is built where it may still write.
    if (this.#options.run === undefined) await Supervisor.open();
    await this.#plan.begin?.();
    // At once and not when its turn comes, so that the request survives an interruption.
    for (const name of force) await this.#stamps.remove(name);
    const ran: string[] = [];
    const skipped: string[] = [];
    for (const [index, step] of this.#plan.steps.entries()) {
      throwIfInterrupted(this.#options.signal);
      const state = await examineStep(step, this.#stamps, this.#known, force);
      if (state.state === 'done') {
        this.#known.set(step.name, state.evidence);
        this.#options.reporter.skipped(step, index + 1, this.#plan.steps.length);
        skipped.push(step.name);
        continue;
      }
      await this.#runStep(step, index + 1, state);
      if (state.state === 'due') ran.push(step.name);
    }
    return { ran, skipped };
  }

  async #runStep(step: StackStep, position: number, state: StepState): Promise<void> {
    const { reporter, signal, run = runSupervised } = this.#options;
    const count = this.#plan.steps.length;
    const log = join(this.#plan.root, 'logs', `${step.name}.log`);
    const interrupted = await this.#stamps.wasInterrupted(step.name);
    if (state.state === 'due') await rm(this.#plan.seal, { force: true });
    await this.#stamps.remove(step.name);
    if (step.inspect !== undefined) await this.#stamps.begin(step.name);
    await beginLog(log);
    reporter.started(step, position, count, state.state === 'due' ? state.why : [], log);
    const began = performance.now();
    const seconds = (): number => (performance.now() - began) / 1000;
    const onLine = reporter.output === undefined ? undefined : (line: string) => reporter.output?.(step, line);
    const context: StepContext = {
      signal,
      interrupted,
      command: async (command) => await run(command, log, signal, onLine),
      log: async (message) => {
        await appendToLog(log, message);
        onLine?.(message);
      },
      note: async (message) => {
        await appendToLog(log, message);
        reporter.note(step, message);
      },
    };
    try {
      await step.run(context);
      throwIfInterrupted(signal);
      if (step.inspect !== undefined) await this.#stamp(step, step.inspect, seconds());
    } catch (error) {
      reporter.failed(step, position, count, seconds());
      // After an orderly end, tools have removed incomplete files; otherwise the mark stays.
      if (!signal.aborted) await this.#stamps.end(step.name);
      throw inStep(step, position, count, error);
    }
    reporter.finished(step, position, count, seconds());
  }

  async #stamp(step: StackStep, inspect: () => Promise<Evidence>, seconds: number): Promise<void> {
    const evidence = await inspect.call(step);
    const inputs = stampInputs(step, this.#known);
    const finished = new Date().toISOString();
    await this.#stamps.write({ version: 1, step: step.name, inputs, evidence, seconds: Math.round(seconds), finished });
    await this.#stamps.end(step.name);
    this.#known.set(step.name, evidence);
  }
}

function inStep(step: StackStep, position: number, count: number, error: unknown): PetriError {
  const where = `step ${String(position)} of ${String(count)}, ${step.name}`;
  if (error instanceof PetriError) {
    const { code, remedy, cause } = error;
    const message = error.message.split('\n  remedy: ')[0] ?? '';
    return new PetriError(`${where}: ${message}`, {
      code,
      step: 'install',
      cause: cause ?? error,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  return new PetriError(`${where}: ${error instanceof Error ? error.message : String(error)}`, {
    code: 'tool-failed',
    step: 'install',
    remedy: 'look into the logs in the folder of the stack, correct the cause and give the same command again',
    cause: error,
  });
}
