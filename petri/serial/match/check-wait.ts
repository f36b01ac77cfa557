import {
  abortSignal,
  checkArgument,
  checkOptions,
  flag,
  milliseconds,
  oneOf,
  pattern as patternRule,
  type Rule,
} from '../../options/index.ts';
import type { WaitOptions } from './wait-options.ts';

const rules: Readonly<Record<keyof WaitOptions, Rule>> = {
  timeout: milliseconds,
  signal: abortSignal,
  from: oneOf(['cursor', 'boot']),
  consume: flag,
};

/** @throws PetriError `invalid-option` for an invalid pattern or options */
export function checkWait(pattern: unknown, options: unknown): void {
  checkArgument('waitFor()', 'pattern', pattern, patternRule);
  checkOptions('waitFor()', options, rules);
}
