import type { Registers } from '../../petri/vm/inspect.ts';
import type { CpuContext } from './cpu/types.ts';
import type { PayloadLocator } from './payload-locator.ts';
import { explainVectorFetch } from './vector-fetch.ts';

const LINK_REGISTER = 30;

/**
 * Where a guest came from that ended at an address with no symbol: a clause to put behind a message, or ''.
 *
 * @param context what faulted, where it still exists
 */
export function faultOrigin(context: CpuContext | undefined, registers: Registers, locator: PayloadLocator): string {
  if (locator.locate(registers.pc).symbol !== undefined) return '';
  const vector = vectorNote(context, locator);
  if (vector !== '') return vector;
  const link = locator.locateReturn(registers.x[LINK_REGISTER] ?? 0n);
  return link.symbol === undefined ? '' : `; the link register is ${link.text}`;
}

/** Which exception brought a guest to the vector that it is at: a clause to put behind a message, or '' at any other place. */
export function vectorNote(context: CpuContext | undefined, locator: PayloadLocator): string {
  const vector = context && explainVectorFetch(context, locator);
  return vector === undefined ? '' : `; ${vector}`;
}
