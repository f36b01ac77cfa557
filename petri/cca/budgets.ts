import { slowFactor } from '../boot/index.ts';

const SECOND = 1000;

/** Milliseconds for the exchanges with an agent in plane 0. */
export const agentBudgets = {
  /** An answer to `ping`. */
  ping: 30 * SECOND,
  /** An acknowledgement while a payload is sent. */
  put: 60 * SECOND,
  /** From `run` to `begin`. */
  begin: 60 * SECOND,
  /** Without a byte in a run, after which plane 0 is asked whether it still goes on. */
  silence: 30 * SECOND,
  /** The kept output once more, without a byte arriving. */
  again: 60 * SECOND,
} as const;

export function scaled(milliseconds: number): number {
  return milliseconds * slowFactor();
}
