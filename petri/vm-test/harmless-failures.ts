import type { TestContext } from 'vitest';
import { PetriError } from '../errors.ts';
import { harmlessLine, harmlessMessage, harmlessOutput, harmlessText } from '../text/index.ts';

type Failure = NonNullable<NonNullable<TestContext['task']['result']>['errors']>[number];

/** What lies deeper in the properties of an error is left out. */
const DEPTH = 8;

const FRAME = /^\s+at /;

/**
 * A line of a diff behind its colours: what is not marked as expected, received, a position or a heading is common to
 * both.
 */
const DIFF_LINE = /^((?:\u001B\[\d+m)*)(?:([-+](?: |$|\u001B)|@@ |Expected|Received|$)|(?: {2})?)/;

/**
 * Makes what vitest reports of one test harmless: whatever its body throws and whatever `expect.soft` found may quote a
 * guest in its message, stack, causes, properties and diff. vitest itself escapes none of it.
 */
export class HarmlessFailures {
  /** Messages of several lines, all of them ours. */
  readonly #composed = new Set<string>();

  constructor(context: TestContext) {
    // What is registered first is called last: then all failures of this try are known, and none is reported yet.
    context.onTestFinished(() => {
      for (const failure of context.task.result?.errors ?? []) this.#clean(failure, 0);
    });
  }

  /** What to throw in place of an error: it says the same, and has paragraphs of ours below its message. */
  explain(error: unknown, paragraphs: readonly string[]): unknown {
    const told = error instanceof Error ? error : withoutStack(new Error(String(error)));
    const message = [this.#harmless(told), ...paragraphs].join('\n\n');
    this.#composed.add(message);
    try {
      told.stack = harmlessStack(told, message);
      told.message = message;
      return told;
    } catch {
      // It cannot be changed.
      const copy = new Error(message);
      copy.stack = harmlessStack(told, message);
      return copy;
    }
  }

  #harmless({ name, message }: { readonly name?: string | undefined; readonly message: string }): string {
    return name === PetriError.name || this.#composed.has(message) ? harmlessText(message) : harmlessMessage(message);
  }

  #clean(failure: Failure, depth: number): void {
    const { cause, diff, name } = failure;
    const message = this.#harmless(failure);
    const properties = harmlessValue({ ...failure }, 0, 'cause') as Failure;
    const stack = harmlessStack(failure, message);
    // Also the names of properties may be a guest's words.
    for (const key of Object.keys(failure)) Reflect.deleteProperty(failure, key);
    Object.assign(failure, properties, { message, stack });
    if (name !== undefined) failure.name = harmlessLine(name);
    if (typeof diff === 'string') failure.diff = harmlessDiff(diff);
    if (typeof cause !== 'object' || (cause as unknown) === null || depth === DEPTH) return;
    failure.cause = cause;
    this.#clean(cause, depth + 1);
  }
}

/** The context that a body gets, with its annotations and reasons to skip made harmless. */
export function harmlessContext(context: TestContext): TestContext {
  const own: Pick<TestContext, 'annotate' | 'skip'> = {
    annotate: (message: string, type?: unknown, attachment?: unknown) =>
      context.annotate(
        harmlessMessage(message),
        (typeof type === 'string' ? harmlessLine(type) : type) as string,
        attachment as never,
      ),
    skip: (condition?: unknown, note?: string): never =>
      context.skip(
        (typeof condition === 'string' ? harmlessLine(condition) : condition) as boolean,
        note === undefined ? undefined : harmlessLine(note),
      ) as never,
  };
  return Object.assign(Object.create(context) as TestContext, own);
}

/** It was made here, which is not where what was thrown comes from. */
function withoutStack(error: Error): Error {
  error.stack = '';
  return error;
}

/** The frames of an error below a message of ours: vitest reads the stack, and other reporters print it as it is. */
function harmlessStack(
  { name, message, stack }: { readonly name?: string; readonly message: string; readonly stack?: string | undefined },
  harmless: string,
): string {
  const frames = typeof stack === 'string' ? framesOf(stack, message) : [];
  return [`${harmlessLine(name ?? 'Error')}: ${harmless}`, ...frames.map(harmlessLine)].join('\n');
}

function framesOf(stack: string, message: string): string[] {
  const at = stack.indexOf(message);
  if (message !== '' && at !== -1)
    return stack
      .slice(at + message.length)
      .split('\n')
      .filter((line) => FRAME.test(line));
  // The message is another one than when the stack was made. Frames come last.
  const lines = stack.split('\n');
  return lines.slice(lines.findLastIndex((line) => !FRAME.test(line)) + 1);
}

/** Lines that both sides have are marked with `|`: as vitest prints them, they could pass for lines of its own. */
function harmlessDiff(diff: string): string {
  // Where vitest uses no colours, all that there are come from elsewhere.
  return (diff.startsWith('\u001B[') ? harmlessOutput(diff) : harmlessText(diff))
    .split('\n')
    .map((line) =>
      line.replace(DIFF_LINE, (found, colours: string, mark?: string) => (mark === undefined ? `${colours}| ` : found)),
    )
    .join('\n');
}

function harmlessValue(value: unknown, depth: number, except?: string): unknown {
  if (typeof value === 'string') return harmlessText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH) return '…';
  if (Array.isArray(value)) return value.map((one: unknown) => harmlessValue(one, depth + 1));
  const entries = Object.entries(value).filter(([key]) => key !== except);
  return Object.fromEntries(entries.map(([key, one]) => [harmlessLine(key), harmlessValue(one, depth + 1)]));
}
