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
  const vector = context && explainVectorFetch(context, locator);
  if (vector !== undefined) return `; ${vector}`;
  const link = locator.locate(registers.x[LINK_REGISTER] ?? 0n);
  return link.symbol === undefined ? '' : `; the link register is ${link.text}`;
}
