import { slowFactor } from '../../slow-factor.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

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

/** Milliseconds for what happens on a machine with our agent on its host, besides the stages of its boot. */
export const sessionBudgets = {
  /** From 0x03 to the end of tmk_vmm. */
  interrupt: 20 * SECOND,
  /** From `exit` to the end of lkvm, and once more after lkvm's own key. */
  realmEnd: 60 * SECOND,
  /** From the words of a crash to the end of waiting for a sign of life. */
  crash: 10 * SECOND,
  /** Making the root file system's copy. */
  image: 5 * MINUTE,
} as const;

export function scaled(milliseconds: number): number {
  return milliseconds * slowFactor();
}
