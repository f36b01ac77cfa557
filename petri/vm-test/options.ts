import { vmOptionNames, type VmOptions } from '../vm/index.ts';
import type { VmPayload } from '../contract/index.ts';
import type { PetriExpectations } from './expectation.ts';
import type { Requirement } from './requirement.ts';

/** What can be said of one VM. */
export interface VmLaunchOptions<P extends VmPayload = VmPayload> extends VmOptions {
  /** What the VM boots; a function is called when the test runs. */
  readonly payload?: P | (() => P);
  /** The test inside the TMK to boot with, where it has several. */
  readonly test?: string;
  /**
   * Whether the VM may run on a machine that other tests have used, where machines take long to boot: `fresh` never
   * does.
   *
   * @default 'shared'
   */
  readonly machine?: 'shared' | 'fresh';
  /**
   * Tags, or the name, that the machine must have where a backend has several to choose from (`petri.hosts.yaml`).
   * Other backends take no notice.
   */
  readonly hostTags?: readonly string[];
}

/** What a test says about itself and its VM. */
export interface PetriTestOptions<P extends VmPayload = VmPayload> extends VmLaunchOptions<P> {
  /**
   * What the backend must be able to show; where it cannot, the test is skipped with the reason. A list of features, of
   * which all are needed, or what `all`, `any` and `not` make of them.
   */
  readonly requires?: Requirement;
  /** Milliseconds for the whole test. The VM's own deadline is a little shorter. @default vitest's `testTimeout` */
  readonly timeout?: number;
  /** Why a failure of this test is not a failure of the run: it is reported as skipped, with the failure. */
  readonly unstable?: string;
  /** How often a test that failed is tried again. @default 0 */
  readonly retry?: number;
}

/** A test without a body: what it boots and what must come of it. */
export interface DeclarativeOptions extends PetriTestOptions {
  readonly payload: VmPayload | (() => VmPayload);
  /** What must come of the VM. */
  readonly expect: PetriExpectations;
}

/** The part of the options that is about the VM. */
export function vmOptionsOf(options: VmLaunchOptions): VmOptions {
  const names: readonly string[] = vmOptionNames;
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

export function payloadOf(options: VmLaunchOptions): VmPayload | undefined {
  return typeof options.payload === 'function' ? options.payload() : options.payload;
}
