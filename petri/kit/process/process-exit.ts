import type { ProcessExit } from './types.ts';

/** As Node reports it: exactly one of the two is there. */
export function processExit(code: number | null, signal: NodeJS.Signals | null): ProcessExit {
  if (signal !== null) return { signal, describe: () => `was ended by ${signal}` };
  const number = code ?? 0;
  return { code: number, describe: () => `exited with code ${number}` };
}
