/**
 * Start of a plain VM's memory. It is not 0, so that null pointers, and exceptions of a TMK without vectors (VBAR_EL1
 * is 0), access no memory, as in a realm.
 */
export const PLAIN_RAM_BASE = 0x20_0000;

/** Bytes at address 0 and below a TMK's memory in which an access ends the guest with a fault. */
export const HOLE_BYTES = 0x1_0000;

/**
 * Whether an address without memory results from a null pointer or a stack overflow. Other addresses are treated as
 * MMIO.
 *
 * @param ramBase start of the TMK's memory
 */
export function isInHole(ipa: number, ramBase: number): boolean {
  return (ipa >= 0 && ipa < HOLE_BYTES) || (ipa < ramBase && ipa >= ramBase - HOLE_BYTES);
}
