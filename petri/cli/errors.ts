import pc from 'picocolors';

import { PetriError } from '../errors.ts';
import { printError } from '../text/index.ts';

/**
 * What our commands exit with: as with the shell's own tools, 2 means that the command line was wrong, 130 that Ctrl-C
 * ended it.
 */
export const exitCodes = { failure: 1, usage: 2, interrupted: 130 } as const;

/**
 * Prints an error for whoever typed the command, and sets the exit code. A stack is shown only for what we did not
 * foresee.
 */
export function reportError(error: unknown): void {
  if (error instanceof PetriError) {
    printError(`${pc.red('petri:')} ${error.message}\n`);
    process.exitCode = exitCodeOf(error);
    return;
  }
  if (error instanceof Error && error.name === 'CACError') {
    printError(`${pc.red('petri:')} ${error.message}\n  remedy: petri --help lists commands and options\n`);
    process.exitCode = exitCodes.usage;
    return;
  }
  printError(
    `${pc.red('petri:')} internal error\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = exitCodes.failure;
}

function exitCodeOf({ code, step }: PetriError): number {
  if (code === 'interrupted') return exitCodes.interrupted;
  return step === 'options' ? exitCodes.usage : exitCodes.failure;
}
