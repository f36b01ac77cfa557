import { constants } from 'node:os';

import { interruptRunning } from '../kit/process/index.ts';
import { print, printError } from '../text/index.ts';
import { exitCodes } from './errors.ts';

/** The exit code of a command whose output was closed before its end; undefined while it can be written. */
let lost: number | undefined;

/** Whether output can no longer be written. */
export function isOutputLost(): boolean {
  return lost !== undefined;
}

/**
 * Ends the command when its output can no longer be written, because the reader of a pipe has closed it or the disk is
 * full. Node ignores SIGPIPE, which would end other programs. `runInterruptible` is ended in order, everything else at
 * once.
 */
export function endWithOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (lost !== undefined) return;
    const readerHasGone = error.code === 'EPIPE' || error.code === 'ECONNRESET';
    // Exit code of a shell for a program that the signal ended.
    lost = readerHasGone ? 128 + constants.signals.SIGPIPE : exitCodes.failure;
    if (!readerHasGone) printError(`petri: the output cannot be written: ${error.message}\n`);
    if (!interruptRunning('because its output is lost')) process.exit(lost);
  });
  process.stderr.on('error', () => {
    // The error cannot be reported anywhere.
  });
}

/** Prints, and resolves when more can be written or nothing can. Never rejects. */
export async function printInTurn(text: string): Promise<void> {
  if (!print(text)) await taken(process.stdout);
}

/** Ends this process after flushing its output: leftovers must not keep it, and its caller, waiting. */
export async function endProcess(): Promise<never> {
  await Promise.all([taken(process.stdout), taken(process.stderr)]);
  process.exit(lost ?? process.exitCode);
}

/** Resolves when everything that was written to a stream is flushed, or cannot be. */
async function taken(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
