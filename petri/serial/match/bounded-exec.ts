import { countedExec, type ExecResult } from './counted-exec.ts';

/** Worst-case steps up to which a search is left to V8, which cannot count them: some tenths of a second. */
const UNCOUNTED_STEPS = 5e7;

/**
 * `exec` of a regular expression from an index on. It is bounded by the shape of the expression and the length of the
 * text if that suffices, and otherwise by counting steps: never by time, so that every host gets the same result.
 *
 * @throws PetriError `pattern-too-expensive`
 * @throws EngineNotLoaded if steps have to be counted, and the engine is not loaded yet
 */
export function boundedExec(expression: RegExp, text: string, from: number): ExecResult | null {
  if (!isCheap(expression.source, text.length - from)) return countedExec(expression, text, from);
  expression.lastIndex = from;
  const result = expression.exec(text);
  if (result === null) return null;
  const [match, ...captures] = result;
  return { index: result.index, match, captures, groups: { ...result.groups } };
}

/** Whether the shape of the expression and the length of the text alone give a low bound on the steps. */
export function isCheap(source: string, length: number): boolean {
  const { repetitions, choices } = shapeOf(source);
  return choices * Math.pow(length, repetitions + 1) <= UNCOUNTED_STEPS;
}

/** Bound of a repetition from which on it counts as unbounded. */
const SMALL_BOUND = 1000;

interface Shape {
  /**
   * Each multiplies the steps by the length of the text; infinite for repeated groups and backreferences.
   */
  readonly repetitions: number;
  /** Number of ways through alternatives and optional parts. */
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

/** Cost of a part of an expression, including the alternatives before it in its group. */
interface Group {
  before: Shape;
  now: Shape;
}

const NOTHING: Shape = { repetitions: 0, choices: 0 };
const EMPTY: Shape = { repetitions: 0, choices: 1 };

/** Of two alternatives, a search tries one and then the other. */
const either = (one: Shape, other: Shape): Shape => ({
  repetitions: Math.max(one.repetitions, other.repetitions),
  choices: one.choices + other.choices,
});

/** For each way through the first part, a search tries all ways through the second. */
const after = (one: Shape, other: Shape): Shape => ({
  repetitions: one.repetitions + other.repetitions,
  choices: one.choices * other.choices,
});

function readShape(source: string): Shape {
  const tokens = [...source.matchAll(TOKEN)].map(([token]) => token);
  let previous = '';
  const groups: Group[] = [{ before: NOTHING, now: EMPTY }];
  const whole = (group: Group | undefined): Shape => (group === undefined ? EMPTY : either(group.before, group.now));
  for (const [index, token] of tokens.entries()) {
    let part: Shape | undefined;
    const group = groups.at(-1);
    if (token.startsWith('(')) groups.push({ before: NOTHING, now: EMPTY });
    else if (token === '|') groups.splice(-1, 1, { before: whole(group), now: EMPTY });
    else if (token === ')') part = whole(groups.length > 1 ? groups.pop() : undefined);
    else if (/^\\[1-9k]/.test(token)) part = { repetitions: Infinity, choices: 1 };
    else if (/^\?\??$/.test(token)) part = { repetitions: 0, choices: 2 };
    else if (/^[*+{]./.test(token) || token === '*' || token === '+') part = repetition(token, previous);
    // A repetition at the very end is never backtracked: nothing after it could fail.
    if (token === '*' && previous !== ')' && index === tokens.length - 1 && groups.length === 1) part = undefined;
    const now = groups.at(-1);
    if (part !== undefined && now !== undefined) now.now = after(now.now, part);
    previous = token;
  }
  return groups.map(whole).reduce(after);
}

/** A repetition of one character multiplies the steps by its bound, if that is small. */
function repetition(quantifier: string, previous: string): Shape {
  if (previous === ')') return { repetitions: Infinity, choices: 1 };
  const [, most = ''] = /^\{(?:\d+,)?(\d+)\}/.exec(quantifier) ?? [];
  if (most === '' || Number(most) > SMALL_BOUND) return { repetitions: 1, choices: 1 };
  return { repetitions: 0, choices: Number(most) + 1 };
}
