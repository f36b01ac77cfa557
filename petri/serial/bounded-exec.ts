import { Script, createContext, type Context } from 'node:vm';
import { PetriError } from '../errors.ts';

/** Milliseconds that one search with a regular expression may take. */
const SEARCH_LIMIT = 500;

/** Steps that a search may need at worst to be run without a watchdog, which itself costs a tenth of a millisecond. */
const UNWATCHED_STEPS = 5e7;

const search = new Script('expression.exec(text)');
let context: Context | undefined;

/**
 * `expression.exec(text)`, ended with an error where the expression backtracks without end on what a guest printed.
 *
 * @throws PetriError `invalid-option`
 */
export function boundedExec(expression: RegExp, text: string): RegExpExecArray | null {
  if (isCheap(expression.source, text.length)) return expression.exec(text);
  context ??= createContext({});
  context['expression'] = expression;
  context['text'] = text;
  try {
    const result: unknown = search.runInContext(context, { timeout: SEARCH_LIMIT });
    return result as RegExpExecArray | null;
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new PetriError(
      `the pattern ${String(expression)} took more than ${String(SEARCH_LIMIT)} ms on ${String(text.length)} characters of serial output`,
      {
        code: 'invalid-option',
        step: 'run',
        remedy: 'write the pattern without repetitions inside repetitions, or wait for a literal string',
        cause: error,
      },
    );
  } finally {
    context['text'] = '';
  }
}

/** A bound from the shape alone: each unbounded repetition multiplies by the length, a repeated group is anyone's guess. */
function isCheap(source: string, length: number): boolean {
  if (/\)[*+?{]|\\[1-9k]/.test(source)) return false;
  const repetitions = source.match(/[*+{]/g)?.length ?? 0;
  return Math.pow(length, repetitions + 1) <= UNWATCHED_STEPS;
}

/** The error is of the other context's `Error`, so `instanceof` does not know it. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}
