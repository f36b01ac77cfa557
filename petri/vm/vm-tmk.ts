import type { TmkEvent, TmkTest } from '../contract/index.ts';
import type { TmkResult } from '../tmk/index.ts';

/** The tests inside a VM's TMK. */
export interface VmTmk {
  /** In link order. */
  list(): readonly TmkTest[];
  /**
   * Boots the VM with one test and judges it. A VM that ran before is reset.
   *
   * @param name a full name, or the end of one after `::`
   * @throws PetriError `tmk-test-unknown`, `tmk-test-ambiguous`, `unsupported` where a VM cannot be booted twice, and
   *   for a test that is to fail where the backend has no `tmk.events`, `vm-closed`
   */
  run(name: string): Promise<TmkResult>;
  /** What the guest has reported since the last boot. */
  readonly events: readonly TmkEvent[];
}
