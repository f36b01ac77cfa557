import type { QuickJSContext, QuickJSHandle, QuickJSSyncVariant } from 'quickjs-emscripten-core';
import { PetriError } from '../../errors.ts';
import { lazy } from '../../lazy.ts';

/** Limit of a search, in units of 10,000 backtracking steps: a tenth of a second on an ordinary machine. */
const LIMIT = 500;

/** Memory limit of the engine in bytes, including its backtracking stack. */
const MEMORY = 256 * 1024 * 1024;

/** Runs in the engine. Text is passed as JSON, which preserves NUL and unpaired surrogates. */
const PROGRAM = `(() => {
  const expressions = new Map();
  return (request) => {
    const [source, flags, text, from] = JSON.parse(request);
    const key = flags + '/' + source;
    if (!expressions.has(key)) {
      if (expressions.size === 100) expressions.clear();
      expressions.set(key, new RegExp(source, flags));
    }
    const expression = expressions.get(key);
    expression.lastIndex = from;
    const match = expression.exec(text);
    if (match === null) return 'null';
    const groups = match.groups === undefined ? undefined : Object.entries(match.groups).map(([name, text]) => [name, text ?? null]);
    return JSON.stringify({ index: match.index, match: match[0], captures: match.slice(1).map((text) => text ?? null), groups });
  };
})()`;

/** The result of a search, as in `RegExp.prototype.exec`. */
export interface ExecResult {
  readonly index: number;
  readonly match: string;
  readonly captures: readonly (string | undefined)[];
  readonly groups: Readonly<Record<string, string | undefined>>;
}

interface Engine {
  readonly context: QuickJSContext;
  readonly search: QuickJSHandle;
  /** Remaining steps. */
  left: number;
}

let engine: Engine | undefined;

/** Thrown by `countedExec` before the engine is loaded: repeat the search after `loadEngine`. */
export class EngineNotLoaded extends Error {}

/**
 * Loads an engine that counts steps: QuickJS, whose regular expressions are also those of ECMAScript, and which asks
 * every 10,000 steps whether to continue. V8 can only be stopped by a clock, which differs from host to host.
 */
export const loadEngine = lazy(async (): Promise<void> => {
  const { newQuickJSWASMModuleFromVariant } = await import('quickjs-emscripten-core');
  // The type declarations are those of its CommonJS variant.
  const variant = import('@jitl/quickjs-wasmfile-release-sync') as unknown as Promise<{ default: QuickJSSyncVariant }>;
  const module = await newQuickJSWASMModuleFromVariant(variant);
  const runtime = module.newRuntime();
  runtime.setMemoryLimit(MEMORY);
  const context = runtime.newContext();
  const fresh: Engine = { context, search: context.unwrapResult(context.evalCode(PROGRAM)), left: Infinity };
  runtime.setInterruptHandler(() => --fresh.left < 0);
  engine = fresh;
});

/**
 * `exec` of a regular expression from an index on, aborted after a number of steps: the same on every host.
 *
 * @throws PetriError `pattern-too-expensive`
 * @throws EngineNotLoaded
 */
export function countedExec(expression: RegExp, text: string, from: number): ExecResult | null {
  if (engine === undefined) throw new EngineNotLoaded();
  const request = JSON.stringify([expression.source, expression.flags, text, from]);
  // The engine also asks for its own purposes, once in thousands of searches; a second attempt then counts exactly.
  const answer = ask(engine, request) ?? ask(engine, request);
  if (answer === undefined) throw tooExpensive(expression, text.length - from);
  return decode(answer);
}

/** Undefined if the limit of steps or memory was reached. */
function ask(one: Engine, request: string): string | undefined {
  const { context, search } = one;
  one.left = LIMIT;
  const argument = context.newString(request);
  try {
    const result = context.callFunction(search, context.undefined, argument);
    if (result.error === undefined) {
      try {
        return context.getString(result.value);
      } finally {
        result.value.dispose();
      }
    }
    result.error.dispose();
    return undefined;
  } finally {
    argument.dispose();
    one.left = Infinity;
  }
}

interface Answer {
  readonly index: number;
  readonly match: string;
  readonly captures: readonly (string | null)[];
  readonly groups?: readonly (readonly [name: string, text: string | null])[];
}

function decode(answer: string): ExecResult | null {
  const decoded = JSON.parse(answer) as Answer | null;
  if (decoded === null) return null;
  const { index, match, captures, groups = [] } = decoded;
  return {
    index,
    match,
    captures: captures.map((text) => text ?? undefined),
    groups: Object.fromEntries(groups.map(([name, text]) => [name, text ?? undefined])),
  };
}

function tooExpensive(expression: RegExp, length: number): PetriError {
  const steps = (LIMIT * 10_000).toLocaleString('en');
  return new PetriError(
    `the pattern ${String(expression)} takes more than ${steps} steps on ${length.toLocaleString('en')} characters of serial output`,
    {
      code: 'pattern-too-expensive',
      step: 'run',
      remedy: 'write the pattern without repetitions inside repetitions, or wait for a literal string',
    },
  );
}
