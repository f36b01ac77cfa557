import { isObject, type Rule } from '../options/index.ts';
import type { Feature } from '../contract/index.ts';

/**
 * What a test requires of its backend: a feature, a list of requirements that must all be met, or what `all`, `any` and
 * `not` make of requirements.
 */
export type Requirement = Feature | readonly Requirement[] | CombinedRequirement;

/** What `all`, `any` and `not` give. */
export type CombinedRequirement =
  | {
      /** Each of them must be met. */
      readonly all: readonly Requirement[];
    }
  | {
      /** At least one of them must be met. */
      readonly any: readonly Requirement[];
    }
  | {
      /** It must not be met. */
      readonly not: Requirement;
    };

/** Met where each of the requirements is; a list in `requires` means the same. */
export function all(...requirements: readonly Requirement[]): CombinedRequirement {
  return { all: requirements };
}

/** Met where at least one of the requirements is: `any('exec', 'serial.write')`. */
export function any(...requirements: readonly Requirement[]): CombinedRequirement {
  return { any: requirements };
}

/** Met where the requirement is not: `not('instruction-budget')`. */
export function not(requirement: Requirement): CombinedRequirement {
  return { not: requirement };
}

/** A requirement with every `not` moved to its features. */
type Term =
  | { readonly kind: 'has' | 'lacks'; readonly feature: Feature }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Term[] };

function termOf(requirement: Requirement, negated = false): Term {
  if (typeof requirement === 'string') return { kind: negated ? 'lacks' : 'has', feature: requirement };
  if (isList(requirement)) return termOf({ all: requirement }, negated);
  if ('not' in requirement) return termOf(requirement.not, !negated);
  const [kind, of] = 'all' in requirement ? (['all', requirement.all] as const) : (['any', requirement.any] as const);
  // De Morgan: what is not all of them is any that is not.
  const turned = kind === 'all' ? 'any' : 'all';
  return flat(
    negated ? turned : kind,
    of.map((one) => termOf(one, negated)),
  );
}

function flat(kind: 'all' | 'any', terms: readonly Term[]): Term {
  const of = terms.flatMap((term) => (term.kind === kind ? term.of : [term]));
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind, of };
}

// `Array.isArray` does not narrow a readonly array out of a union.
function isList(requirement: Requirement): requirement is readonly Requirement[] {
  return Array.isArray(requirement);
}

function isMet(term: Term, available: readonly Feature[]): boolean {
  switch (term.kind) {
    case 'has':
      return available.includes(term.feature);
    case 'lacks':
      return !available.includes(term.feature);
    case 'all':
      return term.of.every((one) => isMet(one, available));
    case 'any':
      return term.of.some((one) => isMet(one, available));
  }
}

/**
 * Why the features of a backend do not meet a requirement, as the predicate of a sentence about that backend, such as
 * `does not have 'planes'`; undefined where they do.
 */
export function unmet(requirement: Requirement, available: readonly Feature[]): string | undefined {
  const term = termOf(requirement);
  if (isMet(term, available)) return undefined;
  const failed = (term.kind === 'all' ? term.of : [term]).filter((one) => !isMet(one, available));
  const missing = failed.flatMap((one) => (one.kind === 'has' ? [`'${one.feature}'`] : []));
  const unwanted = failed.flatMap((one) => (one.kind === 'lacks' ? [`'${one.feature}'`] : []));
  const choices = failed.filter(({ kind }) => kind === 'any' || kind === 'all');
  return [
    ...(missing.length === 0 ? [] : [`does not have ${missing.join(', ')}`]),
    ...(unwanted.length === 0 ? [] : [`has ${unwanted.join(', ')}, without which the test is to run`]),
    ...choices.map((choice) => `does not meet (${describeTerm(choice)})`),
  ].join(' and ');
}

/** The features without which a requirement is never met. */
export function certainFeatures(requirement: Requirement): Feature[] {
  const term = termOf(requirement);
  const certain = term.kind === 'all' ? term.of : [term];
  return [...new Set(certain.flatMap((one) => (one.kind === 'has' ? [one.feature] : [])))];
}

/**
 * A requirement as a person says it: `planes and (exec or serial.write) and not reset`; '' where everything meets it.
 */
export function describeRequirement(requirement: Requirement): string {
  return describeTerm(termOf(requirement), (feature) => feature);
}

function describeTerm(term: Term, name = (feature: Feature): string => `'${feature}'`): string {
  switch (term.kind) {
    case 'has':
      return name(term.feature);
    case 'lacks':
      return `not ${name(term.feature)}`;
    case 'all':
    case 'any':
      return term.of
        .map((one) => ('of' in one ? `(${describeTerm(one, name)})` : describeTerm(one, name)))
        .join(term.kind === 'all' ? ' and ' : ' or ');
  }
}

/** Every feature that a requirement names. */
function namesIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isObject(value)) return [value];
  return Object.values(value).flatMap(namesIn);
}

/** What `requires` may be, where the names of features are those that a rule accepts. */
export function requirementRule(feature: Rule): Rule {
  const wrongIn = (value: unknown): unknown => namesIn(value).find((name) => !feature.accepts(name));
  return {
    accepts: (value) => hasShape(value) && wrongIn(value) === undefined,
    get expected() {
      return `a feature, a list of features, or all(…), any(…) or not(…) of them; a feature is ${feature.expected}`;
    },
    hint: (value) => (hasShape(value) ? (feature.hint?.(wrongIn(value)) ?? '') : ''),
  };
}

function hasShape(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(hasShape);
  if (!isObject(value)) return typeof value === 'string';
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) return false;
  const [kind, of] = entry;
  if (kind === 'not') return hasShape(of);
  // `any()` of nothing is met nowhere.
  const isSound = kind === 'all' || (kind === 'any' && Array.isArray(of) && of.length > 0);
  return isSound && Array.isArray(of) && hasShape(of);
}
