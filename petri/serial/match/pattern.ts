import { harmlessLine, quoted } from '../../text/index.ts';

/** What to wait for: a string is matched literally, a RegExp is a pattern. */
export type SerialPattern = string | RegExp;

/** A match in a stream of text. */
export interface Found {
  readonly match: string;
  readonly captures: readonly (string | undefined)[];
  readonly groups: Readonly<Record<string, string | undefined>>;
  /** Characters from the start of the search to the match. */
  readonly index: number;
  /** Text that was fed after the match. */
  readonly rest: string;
}

/** A search over text that arrives in chunks; the result does not depend on how the text was split. */
export interface Matcher {
  /** The kind and the pattern, for messages. */
  readonly description: string;
  feed(piece: string): Found | undefined;
  /** Whether some of the text has not been searched yet, so that `feed('')` must be called. */
  readonly behind: boolean;
  /** Also tries the unfinished last line, because it has not grown for a while or nothing follows. */
  settle(): Found | undefined;
  /** Whether `settle` could find a match that `feed` did not. */
  readonly unsettled: boolean;
}

/** The pattern and its kind, so that `[ok]` is not taken for a character class. */
export function describePattern(pattern: SerialPattern): string {
  return typeof pattern === 'string' ? `the text ${quoted(pattern)}` : `the pattern ${harmlessLine(String(pattern))}`;
}
