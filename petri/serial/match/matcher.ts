import { PetriError } from '../../errors.ts';
import { LiteralMatcher } from './literal-matcher.ts';
import type { Matcher, SerialPattern } from './pattern.ts';
import { RegExpMatcher } from './regexp-matcher.ts';

/**
 * @param preceding the character before the text to be fed, '' at the start of the stream
 * @throws PetriError `invalid-option` for an empty string
 */
export function createMatcher(pattern: SerialPattern, preceding: string): Matcher {
  if (typeof pattern !== 'string') return new RegExpMatcher(pattern, preceding);
  const text = pattern.replaceAll(/\r+\n/g, '\n');
  if (text === '') {
    throw new PetriError('an empty string was given as the text to wait for on a serial console', {
      code: 'invalid-option',
      step: 'run',
      remedy: 'give the text that the guest prints',
    });
  }
  return new LiteralMatcher(text);
}
