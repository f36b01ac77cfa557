/** Variable in the environment of everything started: one token for each supervisor above it, outermost first. */
export const TOKEN_VARIABLE = 'PETRI_SUPERVISED';
/** Variable in the environment of reapers. They end by themselves, after the processes that they watch. */
export const REAPER_VARIABLE = 'PETRI_REAPER';

/** The token of an entry's processes. */
export function entryToken(ledger: string, entry: number): string {
  return `:${ledger}/${entry}:`;
}

/** The part that all tokens of a ledger share. */
export function ledgerToken(ledger: string): string {
  return `:${ledger}/`;
}

/** Whether an environment, in the format of /proc, contains a token. */
export function bears(environment: string, token: string): boolean {
  return environment
    .split('\0')
    .some((variable) => variable.startsWith(`${TOKEN_VARIABLE}=`) && variable.includes(token));
}

export function isReaper(environment: string | undefined): boolean {
  return environment?.split('\0').some((variable) => variable.startsWith(`${REAPER_VARIABLE}=`)) === true;
}
