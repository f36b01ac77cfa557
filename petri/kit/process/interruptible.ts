import { constants } from 'node:os';

import { PetriError } from '../../errors.ts';
import { printError } from '../../text/index.ts';
import { Supervisor } from './supervisor.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What `runInterruptible` runs now. */
const running = new Set<AbortController>();

export interface InterruptibleOptions {
  /** Told of the first signal, when things begin to end. @default a line on standard error */
  readonly onInterrupt?: (signal: string) => void;
}

/**
 * Runs something that starts processes, in a command. The first Ctrl-C aborts the signal and lets `run` end in order;
 * the second ends everything at once, and this process. When `run` is done, whatever way, everything started is ended.
 *
 * @throws whatever `run` throws; once interrupted, PetriError `interrupted`: that of `run`, or one in place of what it
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
 * Aborts what `runInterruptible` runs, as the first Ctrl-C does, and says nothing.
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
