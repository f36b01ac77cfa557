import { inspect } from 'node:util';
import { PetriError } from '../errors.ts';
import { didYouMean } from './nearest.ts';
import type { Rule } from './rules.ts';

/** What each option may be; `true` for what somebody else checks. */
export type OptionRules = Readonly<Record<string, Rule | true>>;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp);
}

/**
 * Checks an object that a user passes. An option that is `undefined` is one that was left out.
 *
 * @param what as the user calls it, such as `waitFor()`
 * @throws PetriError `invalid-option` with every name that does not exist, what may have been meant, and every value
 *   that is wrong
 */
export function checkOptions(what: string, options: unknown, rules: OptionRules): void {
  if (options === undefined) return;
  if (!isObject(options)) throw invalid(`${what} takes an object, not ${show(options)}`, rules);
  const names = Object.keys(rules);
  const complaints = Object.entries(options).flatMap(([name, value]) => {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) return [`${what} has no option '${name}'${didYouMean(name, names)}`];
    if (rule === true || value === undefined || rule.accepts(value)) return [];
    return [`${name} of ${what} is ${show(value)}${rule.hint?.(value) ?? ''}; expected ${rule.expected}`];
  });
  if (complaints.length > 0) throw invalid(complaints.join('; '), rules);
}

/**
 * Checks what a user passes beside an object.
 *
 * @throws PetriError `invalid-option`
 */
export function checkArgument(what: string, name: string, value: unknown, rule: Rule): void {
  if (rule.accepts(value)) return;
  throw new PetriError(`${name} of ${what} is ${show(value)}${rule.hint?.(value) ?? ''}`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `give ${rule.expected}`,
  });
}

function invalid(message: string, rules: OptionRules): PetriError {
  const names = Object.keys(rules);
  return new PetriError(message, {
    code: 'invalid-option',
    step: 'options',
    remedy: names.length === 0 ? 'leave it out' : `the options are ${names.join(', ')}`,
  });
}

function show(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 1, maxArrayLength: 5, maxStringLength: 100 });
}
