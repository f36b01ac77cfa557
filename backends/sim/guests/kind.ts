import type {
  BackendLimits,
  Feature,
  IsolationType,
  LinuxPayload,
  VmConfig,
  VmPayload,
} from '../../../petri/contract/index.ts';
import type { LoadablePayload, TmkListener } from '../../../petri/tmk/index.ts';
import type { BoardGuest } from './board/board-guest.ts';
import type { BoardListener } from './board/board.ts';
import type { Guest } from './guest.ts';

/** What is known of a kind of guest before its code is loaded. */
interface Kind {
  readonly isolation: IsolationType;
  /** The kind of payload that it boots. */
  readonly payload: VmPayload['kind'];
  readonly features: readonly Feature[];
  /** Bounds on the configuration of its guests. */
  readonly limits: BackendLimits;
  /** Why no guest can be made with a configuration that is within the limits, in one sentence. */
  refuses?(config: VmConfig): string | undefined;
}

/** Guests that run a TMK: everything that differs between isolation types. */
export interface TmkKind extends Kind {
  readonly payload: 'tmk';
  /** Loads the code that makes such guests. */
  load(): Promise<TmkFactory>;
}

/** Machines on which an operating system boots. */
export interface BoardKind extends Kind {
  readonly payload: 'linux';
  load(): Promise<BoardFactory>;
}

export type GuestKind = TmkKind | BoardKind;

/** Makes the guests of one kind. */
export interface TmkFactory {
  /**
   * Makes a machine in its reset state, with the payload loaded.
   *
   * @throws PetriError `payload-too-large`, `rmi-failed`
   */
  make(payload: LoadablePayload, config: VmConfig, listener: TmkListener): Guest;
}

export interface BoardFactory {
  /**
   * Reads and unpacks a payload, for guests that boot it.
   *
   * @param agent what the agent in the guest prints when it is ready
   * @throws PetriError `image-invalid`, `payload-too-large`
   */
  prepare(payload: LinuxPayload, config: VmConfig, agent: string): (listener: BoardListener) => BoardGuest;
}
