/**
 * What things cost the host, in the time of instructions: with 25 ns for each, a call of 200,000 takes no more than the
 * 5 ms that it may. Costs depend on what was decoded and compiled before, so nothing that a guest can see may depend on
 * them.
 */
export const Cost = {
  /** An exit of generated code to the run loop, and what is handled there. */
  Event: 64,
  /** An exit to EL2, with what the monitor does. */
  Exit: 1024,
  /** A load or store that leaves the fast path: a walk of stage 2, a store to a page of code. */
  SlowAccess: 64,
  /** A floating-point operation in TypeScript. */
  Helper: 512,
  /** Decoding: a record that is copied, one that is made, a handler that nobody had before. */
  CopiedRecord: 2,
  MadeRecord: 64,
  NewHandler: 2048,
  /** Clearing or taking over the records of a page. */
  Page: 256,
  /** Loading a part of the library, or a pass of compiling; and each block that comes or goes. */
  Module: 8192,
  Block: 128,
  /** Making a new table. */
  Table: 32_768,
} as const;

/** What a machine spends on a guest beside running its instructions. */
export class Effort {
  /** Charged by what the run loop calls. */
  spent = 0;
  /** Charged by what generated code calls, which lowers the limit of the run by as much itself. */
  called = 0;
}
