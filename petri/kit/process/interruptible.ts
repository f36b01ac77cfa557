import { constants } from 'node:os';

import { PetriError } from '../../errors.ts';
import { printError } from '../../text/index.ts';
import { Supervisor } from './supervisor.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls of `runInterruptible` in progress. */
const running = new Set<AbortController>();

export interface InterruptibleOptions {
  /** Called with the first signal, when ending starts. @default prints a line on standard error */
  readonly onInterrupt?: (signal: string) => void;
}

/**
 * Runs something that starts processes, in a command. The first Ctrl-C aborts the signal and lets `run` end in order;
 * the second ends everything, including this process, at once. Everything that was started is ended after `run`.
 *
 * @throws what `run` throws; after an interrupt, PetriError `interrupted`: that of `run`, or one that replaces what it
 *   throws
 */
export async function runInterruptible<T>(
  run: (signal: AbortSignal) => Promise<T>,
  options: InterruptibleOptions = {},
): Promise<T> {
  const interrupted = new AbortController();
  const onSignal = (signal: (typeof signals)[number]): void => {
    if (interrupted.signal.aborted) {
      Supervisor.current()?.killNow();
      process.exit(128 + constants.signals[signal]);
    }
    const notify = options.onInterrupt ?? tell;
    notify(signal);
    interrupted.abort(interruption(`by ${signal}`));
  };
  running.add(interrupted);
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await run(interrupted.signal);
  } catch (error) {
    const says = error instanceof PetriError && error.code === 'interrupted';
    throw interrupted.signal.aborted && !says ? interrupted.signal.reason : error;
  } finally {
    await Supervisor.current()?.close();
    for (const signal of signals) process.off(signal, onSignal);
    running.delete(interrupted);
  }
}

/**
 * Aborts what `runInterruptible` runs, as the first Ctrl-C does, without a message.
 *
 * @param why follows `interrupted`
 * @returns whether anything runs
 */
export function interruptRunning(why: string): boolean {
  for (const interrupted of running) interrupted.abort(interruption(why));
  return running.size > 0;
}

function interruption(why: string): PetriError {
  return new PetriError(`interrupted ${why}`, { code: 'interrupted', step: 'run' });
}

function tell(signal: string): void {
  printError(`\npetri: ${signal}: ending what was started; once more to end it at once\n`);
}
