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
/** ISS of a data abort: WnR, S1PTW, which instruction aborts have too, and CM. */
export const WNR = 1 << 6;
export const S1PTW = 1 << 7;
export const CM = 1 << 8;

/** ESR_ELx for a 32-bit instruction. */
export function syndrome(ec: number, iss: number): number {
  return ((ec << 26) | IL | iss) >>> 0;
}
