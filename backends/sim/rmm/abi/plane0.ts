import type { LinearMemory } from '../../cpu/index.ts';

/** What a plane 0 written in TypeScript does next. */
export type Plane0Step =
  /** Executes SMC #0 with X0 to X17 of `Plane0Port.x`; resumed with the results in place. */
  | { readonly kind: 'smc' }
  /**
   * Touches an IPA that `locate` could not find, taking the stage-2 abort that guest code would take; then tries again.
   */
  | { readonly kind: 'access'; readonly ipa: number; readonly write: boolean }
  /** Stays idle for good, as `b .` with interrupts masked would. */
  | { readonly kind: 'park' };

/** What the RMM lends to a plane 0 written in TypeScript. */
export interface Plane0Port {
  /** X0 to X17 of plane 0. */
  readonly x: BigUint64Array;
  readonly linear: LinearMemory;
  /**
   * Offset in linear memory of an IPA as plane 0's stage 2 maps it now, or -1 where an access would abort. Valid until
   * the next step. An access must not cross the page.
   */
  locate(ipa: number, write: boolean): number;
  /** Must be called after writing to memory that another plane may execute. */
  wrote(offset: number, bytes: number): void;
}

/**
 * A plane 0 written in TypeScript, run by the RMM where it would run guest code at EL1: it is resumed inside REC_ENTER
 * and yields whatever guest code would trap on. Each vCPU has one of its own.
 */
export type Plane0Program = (port: Plane0Port) => Generator<Plane0Step, never, void>;
