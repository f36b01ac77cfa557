import { performance } from 'node:perf_hooks';
import { boundedExec, isCheap } from './bounded-exec.ts';
import type { ExecResult } from './counted-exec.ts';
import { describePattern, type Found, type Matcher } from './pattern.ts';

/** Maximum characters of a match; longer unfinished lines are searched in parts. It bounds the cost of one search. */
export const LONGEST_MATCH = 64 * 1024;

/** Milliseconds after which a search yields to other work of this process. The result does not depend on it. */
const TURN = 20;

/**
 * Finds the first match of a regular expression. It is tried whenever a line is complete, on all text up to there, so
 * that `/value=(\d+)/` never matches only the first digits of a number that is still arriving. `^` and `$` match at the
 * start and end of lines (flag `m`), and the flags `g` and `y` are ignored.
 */
export class RegExpMatcher implements Matcher {
  readonly description: string;
  readonly #expression: RegExp;
  readonly #spansLines: boolean;
  /** Text that may still be part of a match. */
  #window: string;
  /** Characters fed before the window. */
  #before: number;
  /** Position in the window up to which everything was tried. */
  #tried: number;
  /** Start of the line that contains `#tried`, as a position in the window; negative if it has been dropped. */
  #lineStart: number;
  /** Position in the window before which no match may begin: that text is only context. */
  #floor: number;

  /** @param preceding the character before the text to be fed, which `^` and `\b` need to see; '' if there is none */
  constructor(pattern: RegExp, preceding = '') {
    this.#window = preceding;
    this.#before = -preceding.length;
    this.#tried = this.#lineStart = this.#floor = preceding.length;
    this.description = describePattern(pattern);
    this.#expression = new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gymd]/g, '')}gm`);
    this.#spansLines = canSpanLines(pattern);
  }

  get behind(): boolean {
    return this.#lastStop() > this.#tried;
  }

  get unsettled(): boolean {
    return this.#tried < this.#window.length;
  }

  feed(piece: string): Found | undefined {
    this.#window += piece;
    const end = this.#lastStop();
    if (end <= this.#tried) return undefined;
    return this.#search(end);
  }

  settle(): Found | undefined {
    return this.unsettled ? this.#matchAt(this.#window.length, this.#startOfLastLine()) : undefined;
  }

  /** The last position in the window at which the expression must be tried. */
  #lastStop(): number {
    const lineStart = this.#startOfLastLine();
    const parts = Math.floor((this.#window.length - lineStart) / LONGEST_MATCH);
    return parts === 0 ? lineStart : lineStart + parts * LONGEST_MATCH;
  }

  #startOfLastLine(): number {
    const newline = this.#window.lastIndexOf('\n');
    return newline === -1 ? this.#lineStart : newline + 1;
  }

  #search(end: number): Found | undefined {
    const start = this.#searchStart();
    if (!isCheap(this.#expression.source, end - Math.max(0, start))) return this.#searchByLine(end);
    const found = this.#exec(start, end) === null ? undefined : this.#firstStopThatMatches(end);
    if (found === undefined) this.#advance(end);
    return found;
  }

  /**
   * Searches line by line, for as long as one turn may take. The text of each search, and so whether and which steps
   * are counted, does not depend on how much has arrived.
   */
  #searchByLine(end: number): Found | undefined {
    const began = performance.now();
    for (const { at, lineStart } of this.#stops(end)) {
      const found = this.#matchAt(at, lineStart);
      if (found !== undefined) return found;
      if (at < end && performance.now() - began > TURN) {
        this.#advance(at, this.#window[at - 1] === '\n' ? at : lineStart);
        return undefined;
      }
    }
    this.#advance(end);
    return undefined;
  }

  #firstMatch(stops: readonly { readonly at: number; readonly lineStart: number }[]): Found | undefined {
    for (const { at, lineStart } of stops) {
      const found = this.#matchAt(at, lineStart);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Every position after `#tried` and up to `end` at which to try the expression, with the start of its line. */
  #stops(end: number): { readonly at: number; readonly lineStart: number }[] {
    const stops: { at: number; lineStart: number }[] = [];
    let lineStart = this.#lineStart;
    while (lineStart < end) {
      const newline = this.#window.indexOf('\n', Math.max(0, lineStart));
      const lineEnd = newline === -1 || newline >= end ? end : newline + 1;
      for (let part = lineStart + LONGEST_MATCH; part < lineEnd; part += LONGEST_MATCH) {
        if (part > this.#tried) stops.push({ at: part, lineStart });
      }
      if (lineEnd > this.#tried) stops.push({ at: lineEnd, lineStart });
      lineStart = lineEnd;
    }
    return stops;
  }

  /**
   * Finds the first stop with a match by bisection: from a fixed start, a longer text has a match if a shorter one has.
   * Then searches for the match with the start that belongs to the stop.
   */
  #firstStopThatMatches(end: number): Found | undefined {
    const stops = this.#stops(end);
    const start = this.#searchStart();
    let low = 0;
    let high = stops.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#exec(start, stops[middle]?.at ?? end) === null) low = middle + 1;
      else high = middle;
    }
    return this.#firstMatch(stops.slice(low));
  }

  #matchAt(end: number, lineStart: number): Found | undefined {
    const result = this.#exec(this.#spansLines ? this.#spanStart(end) : Math.max(lineStart, end - LONGEST_MATCH), end);
    if (result === null) return undefined;
    const { match, captures, groups } = result;
    return {
      match,
      captures,
      groups,
      index: this.#before + result.index,
      rest: this.#window.slice(result.index + match.length),
    };
  }

  #exec(start: number, end: number): ExecResult | null {
    return boundedExec(this.#expression, this.#window.slice(0, end), Math.max(this.#floor, start));
  }

  /** Start of a search that covers every stop after `#tried`. */
  #searchStart(): number {
    return this.#spansLines ? this.#tried - LONGEST_MATCH : Math.max(this.#lineStart, this.#tried - LONGEST_MATCH);
  }

  /** The start of the first whole line of the span before `end`, or the span's if it has no whole line. */
  #spanStart(end: number): number {
    const start = end - LONGEST_MATCH;
    if (start <= 0) return 0;
    const newline = this.#window.indexOf('\n', start - 1);
    return newline === -1 || newline + 1 >= end ? start : newline + 1;
  }

  #advance(end: number, lineStart = this.#startOfLastLine()): void {
    this.#lineStart = lineStart;
    this.#tried = end;
    // One character more than can match, for assertions such as ^ and \b.
    const keepFrom = Math.max(0, Math.min(this.#searchStart(), end) - 1);
    if (keepFrom === 0) return;
    this.#window = this.#window.slice(keepFrom);
    this.#before += keepFrom;
    this.#tried -= keepFrom;
    this.#lineStart -= keepFrom;
    this.#floor = Math.max(0, this.#floor - keepFrom);
  }
}

/** Whether a match can contain a line end. In doubt the answer is yes, which is slower but never wrong. */
export function canSpanLines({ source, flags }: RegExp): boolean {
  if (/[sv]/.test(flags) || /[\0-\x1F]/.test(source)) return true;
  if (/\[\^|\(\?[a-z-]*[:)]/.test(source.replaceAll(/\(\?:/g, '('))) return true;
  // Only these escapes can never match a line end.
  return /\\/.test(source.replaceAll(/\\(?:[wdbBS$^.*+?()[\]{}|/\\-]|[1-9](?!\d)|k<)/g, ''));
}
