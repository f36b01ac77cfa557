import { type HaltKind, type HaltReason, describeHalt } from '../contract/index.ts';
import type { Vm } from '../vm/index.ts';
import { PetriError } from '../errors.ts';
import { describePattern, type SerialPattern } from '../serial/index.ts';
import { quoted } from '../text/index.ts';
import { lookUnder } from './body-vm.ts';

type Loose<Value> = Value extends string
  ? Value | RegExp
  : Value extends object
    ? { readonly [Key in keyof Value]?: Loose<Value[Key]> }
    : Value;

type Pattern<Reason> = Reason extends { readonly reason: infer Kind extends HaltKind }
  ? { readonly reason: Kind } & { readonly [Key in Exclude<keyof Reason, 'reason'>]?: Loose<Reason[Key]> }
  : never;

/**
 * How a VM is to halt: a kind, or a kind with some of what belongs to it, where a RegExp stands for text. `'complete'`
 * alone means with success; `{ reason: 'complete', success: false }` is there for the other.
 */
export type HaltExpectation = HaltKind | Pattern<HaltReason>;

/** What the declarative form asserts. */
export interface PetriExpectations {
  /** What is printed on the default console, in this order. */
  readonly serial?: readonly SerialPattern[];
  /** What is not printed from boot to halt. */
  readonly not?: readonly SerialPattern[];
  /** How the VM halts. */
  readonly halt?: HaltExpectation;
}

export function haltMatches(halt: HaltReason, expected: HaltExpectation): boolean {
  if (expected === 'complete') return halt.reason === 'complete' && halt.success;
  return isPart(halt, typeof expected === 'string' ? { reason: expected } : expected);
}

/** Whether everything that is expected is there. */
function isPart(actual: unknown, expected: unknown): boolean {
  if (expected instanceof RegExp) return typeof actual === 'string' && new RegExp(expected, 'm').test(actual);
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected);
  if (typeof actual !== 'object' || actual === null) return false;
  return Object.entries(expected).every(([name, value]) => isPart(Reflect.get(actual, name), value));
}

export function describeExpectation(expected: HaltExpectation): string {
  if (expected === 'complete') return 'complete (success)';
  if (typeof expected === 'string') return expected;
  const details = Object.entries(expected)
    .filter(([name]) => name !== 'reason')
    .map(([name, value]) => `${name}: ${show(value)}`);
  return details.length === 0 ? expected.reason : `${expected.reason} { ${details.join(', ')} }`;
}

function show(value: unknown): string {
  if (value instanceof RegExp) return String(value);
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part));
}

/** Checks a declarative test: what is printed in order, then how the VM halts, then what was never printed. */
export async function meet(vm: Vm, expectations: PetriExpectations): Promise<void> {
  for (const pattern of expectations.serial ?? []) await vm.serial.waitFor(pattern);
  if (expectations.halt === undefined && expectations.not === undefined) return;
  const { target, watch } = lookUnder(vm);
  const halt = await target.halted;
  if (expectations.halt !== undefined && !haltMatches(halt, expectations.halt)) {
    throw unmet(`the VM halted with ${describeHalt(halt)}, expected ${describeExpectation(expectations.halt)}`);
  }
  if (expectations.halt !== undefined) watch?.ends.saw(halt);
  if (expectations.halt === undefined && isNoEnd(halt))
    throw unmet(`the VM did not end by itself: ${describeHalt(halt)}`);
  for (const pattern of expectations.not ?? []) {
    const match = await vm.serial.waitFor(pattern, { from: 'boot', consume: false }).catch(wasNotPrinted);
    if (match !== undefined) {
      throw unmet(`console '${vm.serial.name}' printed ${describePattern(pattern)}: ${quoted(match.match)}`);
    }
  }
}

/** Whether a VM was cut off, so that nothing can be said about what it would not have printed. */
export function isNoEnd(halt: HaltReason): boolean {
  return halt.reason === 'timeout' || halt.reason === 'backend-lost' || halt.reason === 'budget';
}

/** Takes a wait that came to its end for the answer that there is no match. @throws any other error */
export function wasNotPrinted(error: unknown): undefined {
  if (error instanceof PetriError && (error.code === 'console-closed' || error.code === 'wait-timeout'))
    return undefined;
  throw error;
}

function unmet(message: string): Error {
  const error = new Error(message);
  error.name = 'AssertionError';
  return error;
}
