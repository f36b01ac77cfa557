import type { ProcessExit } from './types.ts';

/** From Node's arguments, of which exactly one is not null. */
export function processExit(code: number | null, signal: NodeJS.Signals | null): ProcessExit {
  if (signal !== null) return { signal, describe: () => `was ended by ${signal}` };
  const number = code ?? 0;
  return { code: number, describe: () => `exited with code ${number}` };
}
