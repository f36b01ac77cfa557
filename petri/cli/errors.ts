import pc from 'picocolors';

import { PetriError } from '../errors.ts';
import { printError } from '../text/index.ts';

/** Exit codes of our commands: as for the shell's own tools, 2 is a wrong command line, 130 is Ctrl-C. */
export const exitCodes = { failure: 1, usage: 2, interrupted: 130 } as const;

/**
 * Prints an error for the user of the command, and sets the exit code. Only unexpected errors are shown with a stack.
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
