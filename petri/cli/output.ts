import { constants } from 'node:os';

import { interruptRunning } from '../kit/process/index.ts';
import { print, printError } from '../text/index.ts';
import { exitCodes } from './errors.ts';

/**
 * The exit code of a command whose output came to an end before it did; undefined while there is somebody who takes it.
 */
let lost: number | undefined;

/** Whether what is written goes nowhere any more. */
export function isOutputLost(): boolean {
  return lost !== undefined;
}

/**
 * Ends the command when its output cannot be written any more, because the reader of a pipe has gone or the disk is
 * full. Node ignores SIGPIPE, which ends other programs then. What `runInterruptible` runs is ended in order, all else
 * at once.
 */
export function endWithOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (lost !== undefined) return;
    const readerHasGone = error.code === 'EPIPE' || error.code === 'ECONNRESET';
    // What a shell says of a program that the signal ended.
    lost = readerHasGone ? 128 + constants.signals.SIGPIPE : exitCodes.failure;
    if (!readerHasGone) printError(`petri: the output cannot be written: ${error.message}\n`);
    if (!interruptRunning('because its output is lost')) process.exit(lost);
  });
  process.stderr.on('error', () => {
    // There is nowhere left to say so.
  });
}

/** Prints, and resolves when there is room for more or nothing can be written. Never rejects. */
export async function printInTurn(text: string): Promise<void> {
  if (!print(text)) await taken(process.stdout);
}

/**
 * Ends this process, since the command has done its work: nothing that anybody forgot to end keeps whoever waits for
 * the command waiting. What was written is handed over before.
 */
export async function endProcess(): Promise<never> {
  await Promise.all([taken(process.stdout), taken(process.stderr)]);
  process.exit(lost ?? process.exitCode);
}

/** Resolves when all that was written to a stream is handed over, or cannot be. */
async function taken(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
