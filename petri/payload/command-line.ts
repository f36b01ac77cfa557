import { PetriError } from '../errors.ts';

/** QEMU passes on longer ones, which arm64 Linux truncates (COMMAND_LINE_SIZE). */
const MAX_COMMAND_LINE = 1024;

/**
 * Checks what a guest finds in `/chosen/bootargs`.
 *
 * @param what as a message says it
 * @throws PetriError `invalid-option`
 */
export function checkCommandLine(commandLine: string, what: string): void {
  if (commandLine.length <= MAX_COMMAND_LINE && !/[\u0000-\u001f\u007f]/.test(commandLine)) return;
  throw new PetriError(`${what} are no line of at most ${MAX_COMMAND_LINE} characters`, {
    code: 'invalid-option',
    step: 'payload',
    remedy: 'give words with spaces between them',
  });
}
