import type { LinearMemory } from '../../cpu/index.ts';

/** A step of a plane 0 that is written in TypeScript. */
export type Plane0Step =
  /** Executes SMC #0 with X0 to X17 of `Plane0Port.x`; the program resumes with the results there. */
  | { readonly kind: 'smc' }
  /**
   * Accesses an IPA that `locate` did not find, which causes the stage 2 abort that guest code would take; then the
   * program tries again.
   */
  | { readonly kind: 'access'; readonly ipa: number; readonly write: boolean }
  /** Stays idle for good, like `b .` with interrupts masked. */
  | { readonly kind: 'park' };

/** What the RMM provides to a plane 0 that is written in TypeScript. */
export interface Plane0Port {
  /** X0 to X17 of plane 0. */
  readonly x: BigUint64Array;
  readonly linear: LinearMemory;
  /**
   * Offset in linear memory of an IPA, by plane 0's current stage 2 mapping; -1 if an access would abort. Valid until
   * the next step. An access must not cross the page.
   */
  locate(ipa: number, write: boolean): number;
  /** Must be called after writing to memory that another plane may execute. */
  wrote(offset: number, bytes: number): void;
}

/**
 * A plane 0 written in TypeScript, which the RMM runs instead of guest code at EL1: it is resumed inside REC_ENTER and
 * yields wherever guest code would trap. Each vCPU has its own instance.
 */
export type Plane0Program = (port: Plane0Port) => Generator<Plane0Step, never, void>;
