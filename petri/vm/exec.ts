import { abortSignal, checkArgument, checkOptions, milliseconds, text, type Rule } from '../options/index.ts';
import type { ExecOptions } from '../contract/index.ts';

const rules: Readonly<Record<keyof ExecOptions, Rule>> = { timeout: milliseconds, signal: abortSignal };

/** @throws PetriError `invalid-option` */
export function checkExec(command: unknown, options: unknown): void {
  checkArgument('exec()', 'command', command, text);
  checkOptions('exec()', options, rules);
}
