import { expect } from 'vitest';
import { describePattern, type SerialPattern, type SerialConsole } from '../serial/index.ts';
import { quoted } from '../text/index.ts';
import { describeHalt } from '../contract/index.ts';
import type { Vm } from '../vm/index.ts';
import { checkArgument, checkOptions, milliseconds, pattern as patternRule } from '../options/index.ts';
import { lookUnder } from './body-vm.ts';
import { checkHalt } from './check-halt.ts';
import { describeExpectation, haltMatches, isNoEnd, wasNotPrinted, type HaltExpectation } from './expectation.ts';

/** What `expect` can say about a VM. Each is a promise, to be awaited. */
export interface VmMatchers {
  /**
   * The VM prints, has printed or will print something on its default console, or on a console that is given itself;
   * nothing is consumed. With `.not`: it does not, up to its halt or to the timeout.
   */
  toPrint(pattern: SerialPattern, options?: { readonly timeout?: number }): Promise<void>;
  /** The VM halts in this way; boots it if need be, and waits. `'complete'` means with success. */
  toHaltWith(expected: HaltExpectation): Promise<void>;
}

declare module 'vitest' {
  // The type parameter has to be written as vitest writes it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any, @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
  interface Matchers<T = any> extends VmMatchers {}
}

interface MatcherState {
  readonly isNot: boolean;
}

interface Result {
  readonly pass: boolean;
  readonly message: () => string;
}

function toPrint(
  this: MatcherState,
  received: unknown,
  pattern: SerialPattern,
  options: { readonly timeout?: number } = {},
): Promise<Result> {
  return awaited(received, `toPrint(${show(pattern)})`, this.isNot, printing(received, pattern, options));
}

function toHaltWith(this: MatcherState, received: unknown, expected: HaltExpectation): Promise<Result> {
  const what = typeof expected === 'object' ? `{ reason: ${show(expected.reason)} }` : show(expected);
  return awaited(received, `toHaltWith(${what})`, this.isNot, halting(received, expected, this.isNot));
}

async function printing(
  received: unknown,
  pattern: SerialPattern,
  options: { readonly timeout?: number },
): Promise<Result> {
  checkArgument('toPrint()', 'pattern', pattern, patternRule);
  checkOptions('toPrint()', options, { timeout: milliseconds });
  const vm = isVm(received) ? lookUnder(received).target : undefined;
  const console = vm?.serial ?? received;
  if (!isConsole(console)) throw new TypeError('toPrint() takes a Vm or a SerialConsole');
  let failure = '';
  const match = await console.waitFor(pattern, { ...options, from: 'boot', consume: false }).catch((error: unknown) => {
    const nothing = wasNotPrinted(error);
    // A guest that was cut off could still have printed it: that settles nothing, also not the negation.
    if (vm?.haltReason !== undefined && isNoEnd(vm.haltReason)) throw error;
    failure = String(error);
    return nothing;
  });
  return match === undefined
    ? { pass: false, message: () => failure }
    : {
        pass: true,
        message: () => `console '${console.name}' printed ${describePattern(pattern)}: ${quoted(match.match)}`,
      };
}

async function halting(received: unknown, expected: HaltExpectation, isNot: boolean): Promise<Result> {
  if (!isVm(received)) throw new TypeError('toHaltWith() takes a Vm');
  checkHalt('toHaltWith()', expected);
  const { target, watch } = lookUnder(received);
  const halt = await target.halted;
  const pass = haltMatches(halt, expected);
  // That it did not halt in some way says nothing about the way in which it did.
  if (pass && !isNot) watch?.ends.saw(halt);
  return {
    pass,
    message: () =>
      pass
        ? `expected the VM not to halt with ${describeExpectation(expected)}`
        : `the VM halted with ${describeHalt(halt)}, expected ${describeExpectation(expected)}`,
  };
}

/**
 * What a matcher gives to vitest, which calls its `then` and gives the test what that returns: a promise that is
 * entered in the ledger of the test.
 */
function awaited(received: unknown, call: string, isNot: boolean, result: Promise<Result>): Promise<Result> {
  const watch = isVm(received) || isConsole(received) ? lookUnder(received).watch : undefined;
  if (watch === undefined) return result;
  const whole = `expect(${isVm(received) ? 'vm' : 'console'})${isNot ? '.not' : ''}.${call}`;
  const then = (...handlers: Parameters<typeof result.then>): Promise<unknown> =>
    watch.ledger.watch(whole, then, Promise.prototype.then.apply(result, handlers));
  return Object.defineProperty(result, 'then', { value: then });
}

function show(value: unknown): string {
  return value instanceof RegExp ? String(value) : JSON.stringify(value);
}

/** By shape: the test and the fixture may have come through different loaders. */
function isVm(value: unknown): value is Vm {
  return typeof value === 'object' && value !== null && 'haltReason' in value && 'consoles' in value;
}

function isConsole(value: unknown): value is SerialConsole {
  return typeof value === 'object' && value !== null && 'waitFor' in value && 'transcript' in value;
}

expect.extend({ toPrint, toHaltWith });
