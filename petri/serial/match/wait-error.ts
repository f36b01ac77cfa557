import { PetriError } from '../../errors.ts';
import { quoted } from '../../text/index.ts';
import { boundedExec } from './bounded-exec.ts';
import { describePattern, type SerialPattern } from './pattern.ts';
import type { WaitFailure } from './wait.ts';

/** Lines that are compared with the pattern, and characters of each that are compared and shown. */
const COMPARED_LINES = 1000;
const LINE_WIDTH = 200;
const SHOWN_LINES = 3;

export interface WaitErrorFacts {
  readonly console: string;
  readonly pattern: SerialPattern;
  readonly failure: WaitFailure;
  /** How the console ended, if it did. */
  readonly closeReason: string | undefined;
  /** Whether the pattern matches text that an earlier wait has consumed. */
  readonly consumedBefore: boolean;
  /** Why the console's log is incomplete, if it is. */
  readonly logFailure: string | undefined;
  readonly transcriptTail: string;
  readonly abortReason: unknown;
}

/** The error of a wait: what was waited for, for how long, and what was printed instead. */
export function waitError(facts: WaitErrorFacts): PetriError {
  const { failure } = facts;
  const remedy = remedyFor(facts);
  return new PetriError(headline(facts), {
    code: failure.end === 'closed' ? 'console-closed' : 'wait-timeout',
    step: 'run',
    details: [...observations(facts), ...incompleteness(facts)],
    transcriptTail: facts.transcriptTail,
    ...(remedy === undefined ? {} : { remedy }),
    ...(facts.abortReason === undefined ? {} : { cause: facts.abortReason }),
  });
}

function headline({ console, pattern, failure, closeReason }: WaitErrorFacts): string {
  const what = describePattern(pattern);
  switch (failure.end) {
    case 'timeout':
      return `console '${console}' did not print ${what} within ${failure.lasted}`;
    case 'abort':
      return `waiting for ${what} on console '${console}' was aborted after ${failure.lasted}`;
    case 'closed':
      return `console '${console}' ended without ${what}: ${closeReason ?? 'it was closed'}`;
  }
}

function observations({ pattern, failure, closeReason }: WaitErrorFacts): string[] {
  if (failure.seenLength === 0)
    return [`nothing was printed since the previous match${stateOfVm(failure, closeReason)}`];
  const lines = failure.seen.split('\n');
  const count = `${failure.seenLength.toLocaleString('en')} characters`;
  const near = nearestLines(pattern, lines);
  return [
    `looked at the ${count} printed since the previous match${stateOfVm(failure, closeReason)}`,
    ...(near.length === 0 ? [] : ['nearest lines:', ...near.map((line) => `  > ${line}`)]),
  ];
}

function incompleteness({ logFailure }: WaitErrorFacts): string[] {
  return logFailure === undefined ? [] : [`its log is incomplete: ${logFailure}`];
}

function stateOfVm(failure: WaitFailure, closeReason: string | undefined): string {
  if (failure.end === 'closed') return '';
  return closeReason === undefined ? '; the VM is still running' : `; ${closeReason}`;
}

function remedyFor({ pattern, failure, consumedBefore }: WaitErrorFacts): string | undefined {
  if (consumedBefore) {
    return "it was printed, but before the end of an earlier match: wait in the order of printing, or pass { from: 'boot' }";
  }
  const lines = comparedLines(failure.seen.split('\n'));
  if (typeof pattern === 'string') {
    const line = lines.find((candidate) => matchesAsPattern(pattern, candidate));
    return line === undefined
      ? undefined
      : `a string is matched literally; as a pattern, /${pattern}/, it would match ${quoted(line)}`;
  }
  return failure.seen.includes(pattern.source)
    ? `a RegExp is a pattern; the text ${quoted(pattern.source)} was printed: give it as a string`
    : undefined;
}

function matchesAsPattern(text: string, line: string): boolean {
  if (!/[\\^$.*+?()[\]{}|]/.test(text)) return false;
  try {
    return boundedExec(new RegExp(text, 'g'), line, 0) !== null;
  } catch {
    return false; // Not a valid or affordable pattern: no hint.
  }
}

/** The lines with most words of the pattern, best first. */
function nearestLines(pattern: SerialPattern, lines: readonly string[]): string[] {
  const words = wordsOf(typeof pattern === 'string' ? pattern : pattern.source.replaceAll(/\\./g, ' '));
  const total = words.join('').length;
  return comparedLines(lines)
    .map((line) => ({ line, score: scoreOf(line.toLowerCase(), words) }))
    .filter(({ score }) => score * 3 >= total && score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN_LINES)
    .map(({ line }) => line);
}

function comparedLines(lines: readonly string[]): string[] {
  return lines.slice(-COMPARED_LINES).map((line) => line.slice(0, LINE_WIDTH));
}

function wordsOf(text: string): string[] {
  return [...new Set(text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? [])];
}

function scoreOf(line: string, words: readonly string[]): number {
  return words.reduce((score, word) => score + (line.includes(word) ? word.length : 0), 0);
}
