import { expect } from 'vitest';
import { describePattern, type SerialPattern } from '../serial/index.ts';
import type { SerialConsole } from '../serial/index.ts';
import { describeHalt, type Vm } from '../vm/index.ts';
import { describeExpectation, haltMatches, isNoEnd, wasNotPrinted, type HaltExpectation } from './expectation.ts';

/** What `expect` can say about a VM. Each is a promise, to be awaited. */
export interface VmMatchers {
  /**
   * The VM prints, has printed or will print something on its default console, or on a console that is given itself; nothing
   * is consumed. With `.not`: it does not, up to its halt or to the timeout.
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

interface Result {
  readonly pass: boolean;
  readonly message: () => string;
}

async function toPrint(
  received: unknown,
  pattern: SerialPattern,
  options: { readonly timeout?: number } = {},
): Promise<Result> {
  const vm = isVm(received) ? received : undefined;
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
        message: () => `console '${console.name}' printed ${describePattern(pattern)}: ${JSON.stringify(match.match)}`,
      };
}

async function toHaltWith(received: unknown, expected: HaltExpectation): Promise<Result> {
  if (!isVm(received)) throw new TypeError('toHaltWith() takes a Vm');
  const halt = await received.halted;
  const pass = haltMatches(halt, expected);
  return {
    pass,
    message: () =>
      pass
        ? `expected the VM not to halt with ${describeExpectation(expected)}`
        : `the VM halted with ${describeHalt(halt)}, expected ${describeExpectation(expected)}`,
  };
}

/** By shape: the test and the fixture may have come through different loaders. */
function isVm(value: unknown): value is Vm {
  return typeof value === 'object' && value !== null && 'haltReason' in value && 'consoles' in value;
}

function isConsole(value: unknown): value is SerialConsole {
  return typeof value === 'object' && value !== null && 'waitFor' in value && 'transcript' in value;
}

expect.extend({ toPrint, toHaltWith });
