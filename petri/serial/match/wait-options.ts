/** How `waitFor` and the like wait. */
export interface WaitOptions {
  /**
   * Milliseconds. Without it the wait lasts until the VM ends, which its instruction budget or its deadline sees to.
   * Where the backend counts instructions, a millisecond is 100,000 of the guest's, so that a busy host makes no
   * difference.
   */
  readonly timeout?: number;
  /** Gives the wait up when it aborts, with `wait-timeout`. */
  readonly signal?: AbortSignal;
  /**
   * Where to begin: after the previous match, or at the start of the boot.
   *
   * @default 'cursor'
   */
  readonly from?: 'cursor' | 'boot';
  /**
   * Whether later waits begin after this match.
   *
   * @default true
   */
  readonly consume?: boolean;
}
