import { PetriError } from '../../../petri/errors.ts';

/**
 * Quotes arguments as a command line for a login shell with POSIX quoting (sh, bash, dash, ash, ksh, zsh) or fish's.
 * Every command on a host is quoted here.
 *
 * @throws PetriError `invalid-option` for an argument with NUL, which cannot be passed to a program
 */
export function shellCommand(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}

function quote(argument: string): string {
  if (argument.includes('\0')) {
    throw new PetriError(`${JSON.stringify(argument)} has a NUL character in it and cannot be an argument`, {
      code: 'invalid-option',
      step: 'options',
      remedy: 'take it out',
    });
  }
  // zsh expands a leading =, all of them a leading ~.
  if (/^[A-Za-z0-9_./:,@%+-][A-Za-z0-9_./:,@%+=-]*$/.test(argument)) return argument;
  // Only fish interprets \\ and \' inside of single quotes, so both are put outside.
  return `'${argument.replace(/['\\]/g, (character) => `'\\${character}'`)}'`;
}
