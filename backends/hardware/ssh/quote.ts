import { PetriError } from '../../../petri/errors.ts';

/**
 * One command line out of arguments, for a login shell that reads POSIX quoting (sh, bash, dash, ash, ksh, zsh) or
 * fish's. Everything that is run on a host goes through here.
 *
 * @throws PetriError `invalid-option` for an argument with NUL in it, which no program can be given
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
  // A leading = is expanded by zsh, a leading ~ by all of them.
  if (/^[A-Za-z0-9_./:,@%+-][A-Za-z0-9_./:,@%+=-]*$/.test(argument)) return argument;
  // fish knows \\ and \' inside of single quotes and the others do not: both stand outside.
  return `'${argument.replace(/['\\]/g, (character) => `'\\${character}'`)}'`;
}
