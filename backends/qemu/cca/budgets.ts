import { scaled, sessionBudgets } from '../../../petri/kit/cca/index.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/**
 * Milliseconds for each stage of a boot. As reported by others: 0.5 s until the RMM is up, 4 s to the host's shell, 36
 * s more for a realm that boots and runs a small test.
 */
export const stageBudgets = {
  'tf-a': 1 * MINUTE,
  /** Firmware that prints nothing about its RMM is recognised by the host's KVM. */
  rmm: 2 * MINUTE,
  'host kernel': 2 * MINUTE,
  /** From Linux to the end of init. */
  'host agent': 3 * MINUTE,
  realm: 1 * MINUTE,
  'plane 0': 6 * MINUTE,
  tmk_vmm: 2 * MINUTE,
} as const;

/** What a test gets in addition to its own time-out: a whole boot, and waiting for other tests on the same machine. */
export function wholeBoot(): number {
  return scaled(Object.values(stageBudgets).reduce((sum, budget) => sum + budget, sessionBudgets.image));
}
