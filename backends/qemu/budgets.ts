import { availableParallelism } from 'node:os';
import type { BackendPace } from '../../petri/contract/index.ts';
import { slowFactor } from '../../petri/slow-factor.ts';
import { wholeBoot } from './cca/budgets.ts';

const SECOND = 1000;

/** Milliseconds, many times what each step takes on an idle machine. */
const budgets = {
  /** From spawning QEMU (40 ms) to its sockets, and to the monitor's first record. */
  start: 30 * SECOND,
  /** An answer over QMP (below 1 ms). */
  answer: 10 * SECOND,
  /** From a reset to the monitor's first record (4 ms), or 1 s if 2 GiB have to be cleared. */
  reset: 30 * SECOND,
  /** Querying the PC of a running machine at a deadline: the framework waits for one second. */
  locate: 0.7 * SECOND,
  /** Linux from power-on to its agent (4 s), if the test that waits for it gives no other limit. */
  linux: 120 * SECOND,
  /** For the probe's QEMU. */
  probe: 20 * SECOND,
} as const;

export function budget(of: keyof typeof budgets): number {
  return budgets[of] * slowFactor();
}

/** Maximum ratio of a realm's time in an emulated machine to that in the simulator. */
const REALM_FACTOR = 10;

/**
 * Scales time-outs of tests, which are chosen for the simulated realm.
 *
 * @param realmMachines how many machines with realms there may be, if any
 */
export function pace(realmMachines?: number): BackendPace {
  const none = { boot: 5 * SECOND * slowFactor(), factor: 2 * slowFactor() };
  if (realmMachines === undefined) return { ...none, parallel: availableParallelism() };
  return { boot: wholeBoot(), factor: REALM_FACTOR * slowFactor(), parallel: realmMachines, isolation: { none } };
}
