import { scaled, sessionBudgets } from '../../petri/kit/cca/index.ts';

export { scaled };

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/**
 * Milliseconds for each stage of a boot. As reported by others: 0.6 s until the model listens, 300 s to the host's
 * shell, 190 s of simulated time in 430 s for firmware, host, one realm with 8 vCPUs and power-off.
 */
export const stageBudgets = {
  /** Container, model, and its terminals connected. */
  model: 2 * MINUTE,
  'tf-a': 1 * MINUTE,
  /** Firmware that prints nothing about its RMM is recognised by the host's KVM. */
  rmm: 5 * MINUTE,
  /** EDK2 loads Linux through semihosting. */
  'host kernel': 5 * MINUTE,
  /** From Linux to the end of init. */
  'host agent': 6 * MINUTE,
  realm: 1 * MINUTE,
  /** Populating the realm's memory and booting Linux in it. */
  'plane 0': 10 * MINUTE,
  tmk_vmm: 2 * MINUTE,
} as const;

export type StageName = keyof typeof stageBudgets;

/** What a test gets in addition to its own time-out: a whole boot, and waiting for other tests on the same model. */
export function wholeBoot(): number {
  return scaled(Object.values(stageBudgets).reduce((sum, budget) => sum + budget, sessionBudgets.image));
}
