/** Options of `waitFor` and similar functions. */
export interface WaitOptions {
  /**
   * Milliseconds. By default the wait lasts until the VM ends, at the latest at its instruction budget or deadline. If
   * the backend counts instructions, a millisecond is 100,000 of the guest's, so that a busy host makes no difference.
   */
  readonly timeout?: number;
  /** Ends the wait with `wait-timeout` when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * Where to start: after the previous match, or at the start of the boot.
   *
   * @default 'cursor'
   */
  readonly from?: 'cursor' | 'boot';
  /**
   * Whether later waits start after this match.
   *
   * @default true
   */
  readonly consume?: boolean;
}
