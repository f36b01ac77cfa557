import { inspect } from 'node:util';
import { PetriError } from '../errors.ts';
import { CallSite, moveTo } from './call-site.ts';
import { WatchedPromise } from './watched-promise.ts';

/** Calls that a message names; a loop may forget thousands. */
const NAMED = 5;

/** A call whose promise nobody has waited for yet. */
interface PendingCall {
  /** As the test has it, such as `vm.serial.waitFor("hello")`. */
  readonly call: string;
  readonly site: CallSite;
  /** What came of it, where it has failed already. */
  failure?: unknown;
}

/** Which of the promises that a test body was given it waits for. */
export class AwaitLedger {
  readonly #pending = new Set<PendingCall>();

  /**
   * Enters a promise that the body is given. An error of ours or of a matcher points at the line of the call.
   *
   * @param below the function whose caller is the test
   */
  watch<Value>(call: string, below: (...parameters: never[]) => unknown, promise: Promise<Value>): Promise<Value> {
    const entry: PendingCall = { call, site: new CallSite(below) };
    this.#pending.add(entry);
    const placed = promise.catch((error: unknown) => {
      entry.failure = error;
      if (error instanceof Error && isForPeople(error)) moveTo(entry.site, error);
      throw error;
    });
    return new WatchedPromise(placed, () => this.#pending.delete(entry));
  }

  /** Enters a generator that the body is given, which does nothing until it is iterated over. */
  watchGenerator<Values extends AsyncGenerator>(
    call: string,
    below: (...parameters: never[]) => unknown,
    generator: Values,
  ): Values {
    const entry: PendingCall = { call, site: new CallSite(below) };
    this.#pending.add(entry);
    const used = (): Values => {
      this.#pending.delete(entry);
      Reflect.deleteProperty(generator, 'next');
      Reflect.deleteProperty(generator, Symbol.asyncIterator);
      return generator;
    };
    return Object.defineProperties(generator, {
      next: { configurable: true, value: async (...values: [] | [unknown]) => await used().next(...values) },
      [Symbol.asyncIterator]: { configurable: true, value: used },
    });
  }

  /** What the body has forgotten to wait for, if anything: an error at the line of the first such call. */
  forgotten(): PetriError | undefined {
    const [first, ...others] = this.#pending;
    if (first === undefined) return undefined;
    const error = new PetriError(`${first.call} was never awaited${howItWent(first)}`, {
      code: 'not-awaited',
      step: 'run',
      remedy: ['put `await` before it', ...namesOf(others)].join('; the same goes for '),
    });
    moveTo(first.site, error);
    return error;
  }
}

function howItWent({ failure }: PendingCall): string {
  if (failure === undefined) return ', so the test does not depend on it';
  const [headline = ''] = (failure instanceof Error ? failure.message : inspect(failure)).split('\n');
  return `, and failed: ${headline}`;
}

function namesOf(calls: readonly PendingCall[]): string[] {
  if (calls.length === 0) return [];
  const named = calls.slice(0, NAMED).map(({ call, site }) => `${call}${lineOf(site)}`);
  return [[...named, ...(calls.length > NAMED ? [`${calls.length - NAMED} more`] : [])].join(', ')];
}

/** ` (file.ts:12)` of the first line of a stack trace. */
function lineOf(site: CallSite): string {
  const [, file, line] = /([^/\\():\s]+):(\d+):\d+\)?$/.exec(site.toString().split('\n')[0] ?? '') ?? [];
  return file === undefined || line === undefined ? '' : ` (${file}:${line})`;
}

/**
 * Whether an error is about what the test did or expected, so that its own stack trace leads into the framework alone.
 */
function isForPeople(error: Error): boolean {
  return (
    error.name === 'PetriError' || error.name === 'AssertionError' || 'matcherResult' in error || 'actual' in error
  );
}
