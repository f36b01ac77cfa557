import type { PayloadLocator } from '../../tmk/index.ts';
import { decodeSyndrome, summarizeSyndrome } from './syndrome.ts';

const VECTOR_TABLE_BYTES = 0x800n;
const VECTOR_BYTES = 0x80n;
const EC_UNKNOWN = 0;

/** A guest's exception registers of EL1 (Arm ARM, D1.3). */
export interface ExceptionState {
  readonly pc: bigint;
  readonly vbar: bigint;
  readonly elr: bigint;
  readonly spsr: bigint;
  readonly esr: bigint;
}

/**
 * A guest without exception vectors that takes an exception ends with a fetch from the vector's address, which does not
 * show the cause. This finds the exception in such a case.
 *
 * @returns a clause for a message, or undefined if the PC is not at the vector of an exception that was taken
 */
export function explainVectorFetch(state: ExceptionState, locator: PayloadLocator): string | undefined {
  const offset = state.pc - state.vbar;
  if (offset < 0n || offset >= VECTOR_TABLE_BYTES || offset % VECTOR_BYTES !== 0n) return undefined;
  // Both are zero from reset to the first exception.
  if (state.elr === 0n && state.spsr === 0n) return undefined;
  const syndrome = decodeSyndrome(Number(state.esr & 0xffff_ffffn));
  const what = syndrome.ec === EC_UNKNOWN ? 'undefined instruction' : summarizeSyndrome(syndrome, undefined);
  return `it is the vector of an exception that the guest took: ${what} at ${locator.locate(state.elr).text}`;
}
