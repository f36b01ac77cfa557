import { availableParallelism } from 'node:os';
import type { BackendPace } from '../../petri/contract/index.ts';
import { slowFactor } from '../../petri/slow-factor.ts';
import { wholeBoot } from './cca/budgets.ts';

const SECOND = 1000;

/** Milliseconds, many times what each takes on a machine that has nothing else to do. */
const budgets = {
  /** From spawning QEMU (40 ms) to its sockets, and to the monitor's first word. */
  start: 30 * SECOND,
  /** An answer over QMP (below 1 ms). */
  answer: 10 * SECOND,
  /** A reset to the monitor's first word (4 ms), with 2 GiB to be made zero (1 s). */
  reset: 30 * SECOND,
  /** Asking a running machine where it is, at a deadline: the framework waits for one second. */
  locate: 0.7 * SECOND,
  /** Linux from power-on to its agent (4 s), where a test waits for that and gives no other limit. */
  linux: 120 * SECOND,
  /** What the probe's QEMU may take. */
  probe: 20 * SECOND,
} as const;

export function budget(of: keyof typeof budgets): number {
  return budgets[of] * slowFactor();
}

/** How many times slower than the simulated realm a realm in an emulated machine may be. */
const REALM_FACTOR = 10;

/**
 * For time-outs of tests, which were given with the simulated realm in mind.
 *
 * @param realmMachines how many machines with realms there may be, where there are realms
 */
export function pace(realmMachines?: number): BackendPace {
  const none = { boot: 5 * SECOND * slowFactor(), factor: 2 * slowFactor() };
  if (realmMachines === undefined) return { ...none, parallel: availableParallelism() };
  return { boot: wholeBoot(), factor: REALM_FACTOR * slowFactor(), parallel: realmMachines, isolation: { none } };
}
