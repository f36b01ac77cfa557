import type { GuestState } from '../../guests/index.ts';

/** A machine whose operating system has booted. It never changes. */
export interface BootedState {
  readonly guest: GuestState;
  /** What is known of the guest beside: plain data. */
  readonly extras: unknown;
  /** What the console has shown. */
  readonly console: Uint8Array;
}
