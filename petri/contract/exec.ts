/** What a command in a guest gave. */
export interface ExecResult {
  /** What it wrote to its standard output, as UTF-8, U+FFFD for invalid bytes. */
  readonly stdout: string;
  /** The same of its standard error. */
  readonly stderr: string;
  /** As the guest's shell has it: 128 and more for a signal. */
  readonly exitCode: number;
}

/** How long a command in a guest may take. */
export interface ExecOptions {
  /**
   * Milliseconds that the command may take, in whole seconds of the guest; then it is killed.
   *
   * @default 30_000, times the slow factor
   */
  readonly timeout?: number;
  /** Gives the command up when it aborts, with `wait-timeout`. */
  readonly signal?: AbortSignal;
}
