/** Variable that everything started bears: one token for each supervisor above it, outermost first. */
export const TOKEN_VARIABLE = 'PETRI_SUPERVISED';
/** Variable that reapers bear. They end by themselves, after those they watch. */
export const REAPER_VARIABLE = 'PETRI_REAPER';

/** What a process of one entry bears. */
export function entryToken(ledger: string, entry: number): string {
  return `:${ledger}/${entry}:`;
}

/** Part of every token of a ledger. */
export function ledgerToken(ledger: string): string {
  return `:${ledger}/`;
}

/** Whether an environment, as /proc has it, bears a token. */
export function bears(environment: string, token: string): boolean {
  return environment
    .split('\0')
    .some((variable) => variable.startsWith(`${TOKEN_VARIABLE}=`) && variable.includes(token));
}

export function isReaper(environment: string | undefined): boolean {
  return environment?.split('\0').some((variable) => variable.startsWith(`${REAPER_VARIABLE}=`)) === true;
}
