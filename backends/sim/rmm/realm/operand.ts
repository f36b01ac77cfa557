import { Ripas } from '../abi/status.ts';
import type { Realm } from './realm.ts';
import { entryRipas, entryState, EntryState } from './rtt-entry.ts';
import { entrySpan, LEAF_LEVEL } from './rtt.ts';

/** Results of `operandOffset` that are not an offset. */
export const Operand = {
  /** RIPAS is EMPTY: the command fails with RSI_ERROR_INPUT. */
  Empty: -1,
  /** Nothing is mapped: the REC exits as for a data abort, and the command is executed again. */
  Unmapped: -2,
} as const;

/**
 * Finds realm memory that is an operand of an RSI command (RMM specification 1.1, B5.1), by the host's current mapping.
 *
 * @param ipa in the protected half
 * @returns the offset in linear memory, or a value of `Operand`; the level of the walk is left in `realm.rtt`
 */
export function operandOffset(realm: Realm, ipa: number): number {
  const { rtt } = realm;
  rtt.walk(ipa, LEAF_LEVEL);
  const { word } = rtt;
  const ripas = entryRipas(word);
  if (ripas === Ripas.Ram && entryState(word) === EntryState.Assigned) {
    return realm.memory.offsetOf(rtt.address + (ipa % entrySpan(rtt.level)));
  }
  return ripas === Ripas.Empty ? Operand.Empty : Operand.Unmapped;
}
