/**
 * A virtual address is a number: the canonical 64 bits as a signed integer, so that both halves of the address space
 * are exact and addresses of TTBR1 are negative. An address that is not canonical may be rounded, but is outside of
 * every translation regime; if it is reported to the guest, the value comes from the 64 bits themselves.
 */

const PAGE = 4096;
const HIGH = 2 ** 32;

/** The signed integer in 64 bits of memory; exact if it is canonical. */
export function readSigned(words: Uint32Array, offset: number): number {
  return (words[offset >> 2] ?? 0) + ((words[(offset >> 2) + 1] ?? 0) | 0) * HIGH;
}

/**
 * The address in 64 bits of memory, without its tag.
 *
 * @param ignored bit n: the top byte of addresses of TTBRn_EL1 is a tag (TCR_EL1.TBIn)
 */
export function readAddress(words: Uint32Array, offset: number, ignored: number): number {
  return (words[offset >> 2] ?? 0) + untagged(words[(offset >> 2) + 1] ?? 0, ignored) * HIGH;
}

/** Bits 63:32 of an address without its tag: bit 55 selects the half, and is copied to the bits above. */
export function untagged(high: number, ignored: number): number {
  return ((ignored >>> ((high >>> 23) & 1)) & 1) === 1 ? (high << 8) >> 8 : high | 0;
}

/** @param value an integer of at most 53 bits */
export function writeSigned(words: Uint32Array, offset: number, value: number): void {
  words[offset >> 2] = value;
  words[(offset >> 2) + 1] = Math.floor(value / HIGH);
}

/** Address of the page that contains an address. */
export function pageOf(va: number): number {
  return va - (va & (PAGE - 1));
}

/** Offset of an address in its page. */
export function inPage(va: number): number {
  return va & (PAGE - 1);
}

/** Index of a page in a direct-mapped TLB. @param entries a power of two */
export function tlbIndex(page: number, entries: number): number {
  return (page / PAGE) & (entries - 1);
}
