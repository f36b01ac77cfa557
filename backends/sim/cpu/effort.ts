/**
 * What operations cost the host, in instructions: at 25 ns each, a call with a budget of 200,000 takes the 5 ms that it
 * may take. Costs depend on what was decoded and compiled before, so nothing that a guest can see may depend on them.
 */
export const Cost = {
  /** An exit of generated code to the run loop, and what is handled there. */
  Event: 64,
  /** An exit to EL2, with the work of the monitor. */
  Exit: 1024,
  /** A load or store off the fast path: a walk of stage 2, or a store to a page of code. */
  SlowAccess: 64,
  /** A floating-point instruction with exact integers, and each of its lanes; one with numbers. */
  ExactFloat: 64,
  ExactLane: 64,
  QuickFloat: 16,
  /** Decoding: a record that is copied, a record that is made, a handler that is new to the process. */
  CopiedRecord: 2,
  MadeRecord: 64,
  NewHandler: 2048,
  /** Clearing or restoring the records of a page. */
  Page: 256,
  /** Loading a part of the library, or a pass of compiling; then each block that is added or removed. */
  Module: 8192,
  Block: 128,
  /** Making a new table. */
  Table: 32_768,
} as const;

/** What a machine spends on a guest in addition to its instructions. */
export class Effort {
  /** Charged by the run loop and what it calls. */
  spent = 0;
  /** Charged by what generated code calls; the code lowers the limit of the run by the same amount. */
  called = 0;
}
