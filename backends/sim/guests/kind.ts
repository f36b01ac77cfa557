import type { BackendLimits, Feature, IsolationType, VmConfig } from '../../../petri/contract/index.ts';
import type { LoadablePayload, TmkListener } from '../../../petri/tmk/index.ts';
import type { Guest } from './guest.ts';

/** One kind of guest: everything in which VMs of an isolation type differ from those of another. */
export interface GuestKind {
  readonly isolation: IsolationType;
  readonly features: readonly Feature[];
  /** Bounds on the configuration of its guests. */
  readonly limits: BackendLimits;
  /** Why it cannot make a guest of a configuration within the limits, in one sentence. */
  refuses?(config: VmConfig): string | undefined;
  /** Loads the code that makes such guests: asking what a kind can do needs none of it. */
  load(): Promise<GuestFactory>;
}

/** Makes the guests of one kind. */
export interface GuestFactory {
  /** Guest address of an image's address 0. */
  readonly loadBase: number;
  /**
   * Makes a machine in its reset state, with the payload loaded.
   *
   * @throws PetriError `payload-too-large`, `rmi-failed`
   */
  make(payload: LoadablePayload, config: VmConfig, listener: TmkListener): Guest;
}
