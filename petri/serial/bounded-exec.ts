import { countedExec, type ExecResult } from './counted-exec.ts';

/** Steps that a search may need at worst to be left to V8, which cannot count them: some tenths of a second. */
const UNCOUNTED_STEPS = 5e7;

/**
 * `exec` of a regular expression from an index on. It is bounded by its shape and the length of the text where these say enough, and
 * otherwise by the steps that it takes: never by time, so that every host has the same result.
 *
 * @throws PetriError `pattern-too-expensive`
 * @throws EngineNotLoaded where steps have to be counted, and what counts them is not there yet
 */
export function boundedExec(expression: RegExp, text: string, from: number): ExecResult | null {
  if (!isCheap(expression.source, text.length - from)) return countedExec(expression, text, from);
  expression.lastIndex = from;
  const result = expression.exec(text);
  if (result === null) return null;
  const [match, ...captures] = result;
  return { index: result.index, match, captures, groups: { ...result.groups } };
}

/** Whether the steps of a search have a low bound from the shape of the expression and the length of the text alone. */
export function isCheap(source: string, length: number): boolean {
  const { repetitions, choices } = shapeOf(source);
  return choices * Math.pow(length, repetitions + 1) <= UNCOUNTED_STEPS;
}

interface Shape {
  /** Each multiplies the steps by the length of the text; infinite where groups are repeated or there are backreferences. */
  readonly repetitions: number;
  /** Ways through the groups with alternatives and what is optional. */
  readonly choices: number;
}

const shapes = new Map<string, Shape>();

function shapeOf(source: string): Shape {
  const known = shapes.get(source);
  if (known !== undefined) return known;
  if (shapes.size === 1000) shapes.clear();
  const shape = readShape(source);
  shapes.set(source, shape);
  return shape;
}

/** One escape, one class, the opening of a group, a quantifier, or one character. */
const TOKEN = /\\.|\[(?:\\.|[^\]\\])*\]|\((?:\?(?:<?[=!]|<[^>]*>|[\w-]*:))?|(?:[*+?]|\{\d+(?:,\d*)?\})\??|[^]/g;

function readShape(source: string): Shape {
  let repetitions = 0;
  let choices = 1;
  let previous = '';
  const groups = [1];
  for (const [token] of source.matchAll(TOKEN)) {
    if (token.startsWith('(')) groups.push(1);
    else if (token === '|') groups.push((groups.pop() ?? 1) + 1);
    else if (token === ')') choices *= groups.pop() ?? 1;
    else if (/^\\[1-9k]/.test(token)) repetitions = Infinity;
    else if (/^\?\??$/.test(token)) choices *= 2;
    else if (/^[*+{]./.test(token) || token === '*' || token === '+') repetitions += previous === ')' ? Infinity : 1;
    previous = token;
  }
  return { repetitions, choices: choices * (groups[0] ?? 1) };
}
