import type {
  BackendLimits,
  Feature,
  ImagePayload,
  IsolationType,
  LinuxPayload,
  VmConfig,
  VmPayload,
  VmSpec,
} from '../../../petri/contract/index.ts';
import type { LoadablePayload, TmkListener } from '../../../petri/tmk/index.ts';
import type { BoardGuest } from './board/board-guest.ts';
import type { BoardListener } from './board/board.ts';
import type { GuestState } from './board/guest-state.ts';
import type { Guest } from './guest.ts';

/** What is known of a kind of guest before its code is loaded. */
interface Kind {
  readonly isolation: IsolationType;
  /** The kind of payload that it boots. */
  readonly payload: VmPayload['kind'];
  readonly features: readonly Feature[];
  /** Bounds on the configuration of its guests. */
  readonly limits: BackendLimits;
  /** Why no guest can be made of what is within the limits, in one sentence. */
  refuses?(spec: VmSpec): string | undefined;
}

/** Guests that run a TMK: everything that differs between isolation types. */
export interface TmkKind extends Kind {
  readonly payload: 'tmk';
  /** Loads the code that makes such guests. */
  load(): Promise<TmkFactory>;
}

/** Boards that boot one kind of payload. */
export interface BoardKind<P extends LinuxPayload | ImagePayload = LinuxPayload | ImagePayload> extends Kind {
  readonly payload: P['kind'];
  load(): Promise<BoardFactory<P>>;
}

export type GuestKind = TmkKind | BoardKind<LinuxPayload> | BoardKind<ImagePayload>;

/** Makes the guests of one kind. */
export interface TmkFactory {
  /**
   * Makes a machine in its reset state, with the payload loaded.
   *
   * @throws PetriError `payload-too-large`, `rmi-failed`
   */
  make(payload: LoadablePayload, config: VmConfig, listener: TmkListener): Guest;
}

export interface BoardFactory<P> {
  /**
   * Makes a board that goes on from the state of another one.
   *
   * @param state of a board for a payload of the same kind of board, and a configuration with as much memory and as
   * many   vCPUs
   */
  resume(payload: P, config: VmConfig, state: GuestState, listener: BoardListener): BoardGuest;
  /**
   * Reads and unpacks a payload.
   *
   * @param agent what the agent in the guest prints when it is ready, where the payload has one
   * @returns what makes boards that boot it
   * @throws PetriError `image-invalid`, `payload-too-large`
   */
  prepare(payload: P, config: VmConfig, agent: string): (listener: BoardListener) => BoardGuest;
}
