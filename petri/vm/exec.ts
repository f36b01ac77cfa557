import { abortSignal, checkArgument, checkOptions, milliseconds, text, type Rule } from '../options/index.ts';

/** What a command in a guest gave. */
export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  /** As the guest's shell has it: 128 and more for a signal. */
  readonly exitCode: number;
}

export interface ExecOptions {
  /** Milliseconds that the command may take, in whole seconds of the guest; then it is killed. @default 30_000, times the slow factor */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

const rules: Readonly<Record<keyof ExecOptions, Rule>> = { timeout: milliseconds, signal: abortSignal };

/** @throws PetriError `invalid-option` */
export function checkExec(command: unknown, options: unknown): void {
  checkArgument('exec()', 'command', command, text);
  checkOptions('exec()', options, rules);
}
