/**
 * Where the memory of a plain VM begins. Not at 0, so that null pointers, and the vectors of a TMK that has none
 * (VBAR_EL1 is 0), meet no memory, as in a realm.
 */
export const PLAIN_RAM_BASE = 0x20_0000;

/** Bytes at address 0 and below a TMK's memory where no access is served: it ends the guest as a fault. */
export const HOLE_BYTES = 0x1_0000;

/**
 * Whether an address without memory is one that a mistake leads to, a null pointer or an overflow of the stack. Others
 * are taken for a device's.
 *
 * @param ramBase where the TMK's memory begins
 */
export function isInHole(ipa: number, ramBase: number): boolean {
  return (ipa >= 0 && ipa < HOLE_BYTES) || (ipa < ramBase && ipa >= ramBase - HOLE_BYTES);
}
