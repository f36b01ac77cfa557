import { PetriError } from '../../errors.ts';

/**
 * Checks that a stack can be built below a folder: make treats spaces and colons as separators, and build scripts do
 * not quote paths.
 *
 * @param stack what is built, for the message: 'FVP stack'
 * @param tools what fails, as in 'make and shrinkwrap'
 * @throws PetriError `invalid-option`
 */
export function checkRootPath(root: string, stack: string, tools: string): void {
  if (/^\/[\w@%+=,./~-]*$/.test(root)) return;
  throw new PetriError(`the ${stack} cannot be built in '${root}': ${tools} fail with such a path`, {
    code: 'invalid-option',
    step: 'options',
    remedy: 'give a --root of letters, digits and . _ - / only',
  });
}
