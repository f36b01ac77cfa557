import { slowFactor } from '../../slow-factor.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Milliseconds for exchanges with the agent in plane 0. */
export const agentBudgets = {
  /** An answer to `ping`. */
  ping: 30 * SECOND,
  /** An acknowledgement while a payload is sent. */
  put: 60 * SECOND,
  /** From `run` to `begin`. */
  begin: 60 * SECOND,
  /** Silence during a run after which plane 0 is asked whether it still runs. */
  silence: 30 * SECOND,
  /** Silence while the kept output is sent again. */
  again: 60 * SECOND,
} as const;

/** Milliseconds for operations on a machine with our agent on its host, other than the stages of its boot. */
export const sessionBudgets = {
  /** From 0x03 to the end of tmk_vmm. */
  interrupt: 20 * SECOND,
  /** From `exit` to the end of lkvm, and the same again after lkvm's own key. */
  realmEnd: 60 * SECOND,
  /** From a line that looks like a crash until no sign of life is expected any more. */
  crash: 10 * SECOND,
  /** Making the root file system's copy. */
  image: 5 * MINUTE,
} as const;

export function scaled(milliseconds: number): number {
  return milliseconds * slowFactor();
}
