import { PetriError } from '../errors.ts';
import type { LinuxPayload, TmkPayload } from '../payload/index.ts';
import type { SerialPattern } from '../serial/index.ts';
import { vmOptionNames, type Feature, type VmOptions } from '../vm/index.ts';
import type { HaltExpectation } from './expectation.ts';

/** What a VM can boot. */
export type PetriPayload = TmkPayload | LinuxPayload;

/** What a test says about itself and its VM. */
export interface PetriTestOptions extends VmOptions {
  /** What the VM boots; a function is called when the test runs. */
  readonly payload?: PetriPayload | (() => PetriPayload);
  /** The test inside the TMK to boot with, where it has several. */
  readonly test?: string;
  /** What the backend must be able to show; where it cannot, the test is skipped with the reason. */
  readonly requires?: readonly Feature[];
  /** Milliseconds for the whole test. The VM's own deadline is a little shorter. @default vitest's `testTimeout` */
  readonly timeout?: number;
  /** Why a failure of this test is not a failure of the run: it is reported as skipped, with the failure. */
  readonly unstable?: string;
  /**
   * Whether the VM may run on a machine that other tests have used, where machines take long to boot: `fresh` never does.
   *
   * @default 'shared'
   */
  readonly boot?: 'shared' | 'fresh';
  /**
   * Tags, or the name, that the machine must have where a backend has several to choose from (`petri.hosts.yaml`). Other backends take
   * no notice.
   */
  readonly hostTags?: readonly string[];
  /** How often a test that failed is tried again. @default 0 */
  readonly retry?: number;
}

/** What the declarative form asserts. */
export interface PetriExpectations {
  /** What is printed on the default console, in this order. */
  readonly serial?: readonly SerialPattern[];
  /** What is not printed from boot to halt. */
  readonly not?: readonly SerialPattern[];
  /** How the VM halts. */
  readonly halt?: HaltExpectation;
}

/** A test without a body: what it boots and what must come of it. */
export interface DeclarativeOptions extends PetriTestOptions {
  readonly payload: PetriPayload | (() => PetriPayload);
  readonly expect: PetriExpectations;
}

const ownNames: readonly string[] = [
  'payload',
  'test',
  'requires',
  'timeout',
  'unstable',
  'boot',
  'hostTags',
  'retry',
  'expect',
];
const names: readonly string[] = [...ownNames, ...vmOptionNames];

/** The part of the options that is about the VM. */
export function vmOptionsOf(options: PetriTestOptions): VmOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !ownNames.includes(name)));
}

export function payloadOf(options: PetriTestOptions): PetriPayload | undefined {
  return typeof options.payload === 'function' ? options.payload() : options.payload;
}

/** @throws PetriError `invalid-option` for an option that does not exist */
export function checkNames(options: PetriTestOptions): void {
  const unknown = Object.keys(options).filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  throw new PetriError(`petriTest has no option ${unknown.map((name) => `'${name}'`).join(', ')}`, {
    code: 'invalid-option',
    step: 'options',
    remedy: `the options are ${names.join(', ')}`,
  });
}
