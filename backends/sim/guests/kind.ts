import type { BackendLimits, Feature, IsolationType, VmConfig } from '../../../petri/contract/index.ts';
import type { LoadablePayload, TmkListener } from '../../../petri/tmk/index.ts';
import type { Guest } from './guest.ts';

/** One kind of guest: everything that differs between isolation types. */
export interface GuestKind {
  readonly isolation: IsolationType;
  readonly features: readonly Feature[];
  /** Bounds on the configuration of its guests. */
  readonly limits: BackendLimits;
  /** Why no guest can be made with a configuration that is within the limits, in one sentence. */
  refuses?(config: VmConfig): string | undefined;
  /** Loads the code that makes such guests; the other members are available without it. */
  load(): Promise<GuestFactory>;
}

/** Makes the guests of one kind. */
export interface GuestFactory {
  /**
   * Makes a machine in its reset state, with the payload loaded.
   *
   * @throws PetriError `payload-too-large`, `rmi-failed`
   */
  make(payload: LoadablePayload, config: VmConfig, listener: TmkListener): Guest;
}
