import type { CpuContext } from './cpu/types.ts';
import { decodeSyndrome, summarizeSyndrome } from './paravisor/index.ts';
import type { PayloadLocator } from './payload-locator.ts';
import { SysregEncoding } from './rmm/index.ts';

const VECTOR_TABLE_BYTES = 0x800n;
const VECTOR_BYTES = 0x80n;
const EC_UNKNOWN = 0;

/**
 * A guest without exception vectors that takes an exception ends with a fetch from where the vector would be, which says nothing
 * of what happened. This finds the exception in such a case.
 *
 * @returns a clause for a message, or undefined where PC is not at a vector of an exception that was taken
 */
export function explainVectorFetch(context: CpuContext, locator: PayloadLocator): string | undefined {
  const sysreg = (name: keyof typeof SysregEncoding): bigint => context.sysreg(SysregEncoding[name]) ?? 0n;
  const offset = context.pc - sysreg('VBAR_EL1');
  if (offset < 0n || offset >= VECTOR_TABLE_BYTES || offset % VECTOR_BYTES !== 0n) return undefined;
  const elr = sysreg('ELR_EL1');
  // Both are zero from reset to the first exception.
  if (elr === 0n && sysreg('SPSR_EL1') === 0n) return undefined;
  const syndrome = decodeSyndrome(Number(sysreg('ESR_EL1') & 0xffff_ffffn));
  const what = syndrome.ec === EC_UNKNOWN ? 'undefined instruction' : summarizeSyndrome(syndrome, undefined);
  return `it is the vector of an exception that the guest took: ${what} at ${locator.locate(elr).text}`;
}
