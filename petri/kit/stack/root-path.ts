import { PetriError } from '../../errors.ts';

/**
 * Checks that a stack can be built below a folder. make takes spaces and colons apart, and build scripts do not quote
 * paths.
 *
 * @param stack what it is, for the message: 'FVP stack'
 * @param tools what breaks, as in 'make and shrinkwrap'
 * @throws PetriError `invalid-option`
 */
export function checkRootPath(root: string, stack: string, tools: string): void {
  if (/^\/[\w@%+=,./~-]*$/.test(root)) return;
  throw new PetriError(`the ${stack} cannot be built in '${root}': ${tools} break on such a path`, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'give a --root of letters, digits and . _ - / only',
  });
}
