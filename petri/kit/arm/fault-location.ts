import type { PayloadLocator } from '../../tmk/index.ts';
import type { Registers } from '../../contract/index.ts';
import { explainVectorFetch, type ExceptionState } from './vector-fetch.ts';

const LINK_REGISTER = 30;

/**
 * Where a guest came from that ended at an address with no symbol: a clause to put behind a message, or ''.
 *
 * @param state of what faulted, where it is known
 */
export function faultOrigin(state: ExceptionState | undefined, registers: Registers, locator: PayloadLocator): string {
  if (locator.locate(registers.pc).symbol !== undefined) return '';
  const vector = vectorNote(state, locator);
  if (vector !== '') return vector;
  const link = locator.locateReturn(registers.x[LINK_REGISTER] ?? 0n);
  return link.symbol === undefined ? '' : `; the link register is ${link.text}`;
}

/**
 * Which exception brought a guest to the vector that it is at: a clause to put behind a message, or '' at any other
 * place.
 */
export function vectorNote(state: ExceptionState | undefined, locator: PayloadLocator): string {
  const vector = state && explainVectorFetch(state, locator);
  return vector === undefined ? '' : `; ${vector}`;
}
