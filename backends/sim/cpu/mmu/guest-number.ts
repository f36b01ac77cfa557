/** 64-bit guest values as a pair of 32-bit halves in linear memory, read as a number where they fit. */

const HIGH = 2 ** 32;

/** Above this, addresses are outside of every translation regime: FEAT_LPA2 is not implemented. */
export const ADDRESS_LIMIT = 2 ** 48;

/** The value at a place in memory; exact below 2^53, and above every limit beyond that. */
export function readNumber(words: Uint32Array, offset: number): number {
  return (words[offset >> 2] ?? 0) + (words[(offset >> 2) + 1] ?? 0) * HIGH;
}

/** @param value a non-negative integer below 2^53 */
export function writeNumber(words: Uint32Array, offset: number, value: number): void {
  words[offset >> 2] = value % HIGH;
  words[(offset >> 2) + 1] = Math.floor(value / HIGH);
}
