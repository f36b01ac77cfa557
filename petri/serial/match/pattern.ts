import { harmlessLine, quoted } from '../../text/index.ts';

/** What to wait for: a string is looked for as it stands, a RegExp is a pattern. */
export type SerialPattern = string | RegExp;

/** A match in a stream of text. */
export interface Found {
  readonly match: string;
  readonly captures: readonly (string | undefined)[];
  readonly groups: Readonly<Record<string, string | undefined>>;
  /** Characters from the start of the search to the match. */
  readonly index: number;
  /** What was fed after the match. */
  readonly rest: string;
}

/** A search over text that arrives in pieces; what it finds does not depend on how the text was cut. */
export interface Matcher {
  /** The kind and the pattern, for messages. */
  readonly description: string;
  feed(piece: string): Found | undefined;
  /** Whether not all that was fed is looked at yet, so that `feed('')` is due. */
  readonly behind: boolean;
  /** Tries the unfinished last line too: it stands still, as a prompt does, or nothing more will come. */
  settle(): Found | undefined;
  /** Whether `settle` could find something that `feed` did not. */
  readonly unsettled: boolean;
}

/** The pattern and its kind, so that nobody takes `[ok]` for a character class. */
export function describePattern(pattern: SerialPattern): string {
  return typeof pattern === 'string' ? `the text ${quoted(pattern)}` : `the pattern ${harmlessLine(String(pattern))}`;
}
