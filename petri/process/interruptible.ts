import { constants } from 'node:os';

import { PetriError } from '../errors.ts';
import { Supervisor } from './supervisor.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface InterruptibleOptions {
  /** Told of the first signal, when things begin to end. @default a line on standard error */
  readonly onInterrupt?: (signal: string) => void;
}

/**
 * Runs something that starts processes, in a command. The first Ctrl-C aborts the signal and lets `run` end in order; the second ends
 * everything at once, and this process. When `run` is done, whatever way, everything started is ended.
 *
 * @throws whatever `run` throws; PetriError `interrupted` in place of that once interrupted
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
    interrupted.abort(new PetriError(`interrupted by ${signal}`, { code: 'interrupted', step: 'run' }));
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await run(interrupted.signal);
  } catch (error) {
    throw interrupted.signal.aborted ? interrupted.signal.reason : error;
  } finally {
    await Supervisor.current()?.close();
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function tell(signal: string): void {
  process.stderr.write(`\npetri: ${signal}: ending what was started; once more to end it at once\n`);
}
