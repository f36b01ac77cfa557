import type { PayloadLocator } from '../../tmk/index.ts';
import type { Registers } from '../../contract/index.ts';
import { explainVectorFetch, type ExceptionState } from './vector-fetch.ts';

const LINK_REGISTER = 30;

/**
 * Which code led to the address without a symbol at which a guest ended: a clause to append to a message, or ''.
 *
 * @param state exception registers at the fault, if known
 */
export function faultOrigin(state: ExceptionState | undefined, registers: Registers, locator: PayloadLocator): string {
  if (locator.locate(registers.pc).symbol !== undefined) return '';
  const vector = vectorNote(state, locator);
  if (vector !== '') return vector;
  const link = locator.locateReturn(registers.x[LINK_REGISTER] ?? 0n);
  return link.symbol === undefined ? '' : `; the link register is ${link.text}`;
}

/** Which exception led to the vector at which a guest ended: a clause to append to a message, or '' elsewhere. */
export function vectorNote(state: ExceptionState | undefined, locator: PayloadLocator): string {
  const vector = state && explainVectorFetch(state, locator);
  return vector === undefined ? '' : `; ${vector}`;
}
