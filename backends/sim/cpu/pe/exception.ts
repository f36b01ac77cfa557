import type { ExceptionLevel } from '../exception-level.ts';

/** A synchronous exception to be taken. */
export interface Exception {
  /** Exception level that takes it. */
  target: ExceptionLevel;
  esr: number;
  far: bigint;
}

const IL = 1 << 25;
/** ISS.CV with COND = always: for traps of conditional instructions. */
export const CV_AL = (1 << 24) | (0xe << 20);
/** ISS.WnR of a data abort. */
export const WNR = 1 << 6;

/** ESR_ELx for a 32-bit instruction. */
export function syndrome(ec: number, iss: number): number {
  return ((ec << 26) | IL | iss) >>> 0;
}
