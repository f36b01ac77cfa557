import { didYouMean } from './nearest.ts';

/** What an option may be. */
export interface Rule {
  accepts(value: unknown): boolean;
  /** What is accepted, as a message says it. */
  readonly expected: string;
  /** What the user may have meant, to be put after what they wrote. */
  hint?(value: unknown): string;
}

export const text: Rule = {
  accepts: (value) => typeof value === 'string' && value !== '',
  expected: 'a text that is not empty',
};

export const anyText: Rule = { accepts: (value) => typeof value === 'string', expected: 'a text' };

export const bytesOrText: Rule = {
  accepts: (value) => typeof value === 'string' || ArrayBuffer.isView(value),
  expected: 'a text or a Uint8Array',
};

export const flag: Rule = { accepts: (value) => typeof value === 'boolean', expected: 'true or false' };

export const bigInteger: Rule = { accepts: (value) => typeof value === 'bigint', expected: 'a bigint such as 0x8000n' };

export const milliseconds: Rule = {
  accepts: (value) => typeof value === 'number' && value >= 0,
  expected: 'a number of milliseconds, not below 0',
};

/** What a console may be searched for. */
export const pattern: Rule = {
  accepts: (value) => value instanceof RegExp || (typeof value === 'string' && value !== ''),
  expected: 'a text that is not empty or a RegExp',
};

export const textOrPattern: Rule = {
  accepts: (value) => value instanceof RegExp || typeof value === 'string',
  expected: 'a text or a RegExp',
};

/** By shape: a test environment may have a class of its own. */
export const abortSignal: Rule = {
  accepts: (value) => typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value,
  expected: 'an AbortSignal',
};

export function atLeast(least: number): Rule {
  return {
    accepts: (value) => Number.isSafeInteger(value) && Number(value) >= least,
    expected: `a whole number from ${least}`,
  };
}

export function oneOf(names: readonly string[]): Rule {
  return oneOfThese(() => names);
}

/** As `oneOf`, for names that are known only when a value is checked. */
export function oneOfThese(names: () => readonly string[]): Rule {
  return {
    accepts: (value) => typeof value === 'string' && names().includes(value),
    get expected() {
      return `one of ${names()
        .map((name) => `'${name}'`)
        .join(', ')}`;
    },
    hint: (value) => (typeof value === 'string' ? didYouMean(value, names()) : ''),
  };
}

/** Of a list, the first wrong element is reported. */
export function listOf(rule: Rule): Rule {
  const wrongIn = (value: unknown): unknown =>
    Array.isArray(value) ? value.find((element) => !rule.accepts(element)) : undefined;
  return {
    accepts: (value) => Array.isArray(value) && value.every((element) => rule.accepts(element)),
    expected: `a list, each element ${rule.expected}`,
    hint: (value) => rule.hint?.(wrongIn(value)) ?? '',
  };
}
