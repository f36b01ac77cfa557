/** The start of a realm's stage 2 walk. */
interface RttRootShape {
  readonly level: number;
  /** Concatenated tables. */
  readonly tables: number;
}

const MAX_CONCATENATED_BITS = 4;
const HIGHEST_START_LEVEL = 2;

/** Bits of IPA that an entry of a level spans. */
function entryBits(level: number): number {
  return 12 + 9 * (3 - level);
}

/** Bytes of IPA space that an entry of a level spans. */
export function entrySpan(level: number): number {
  return 2 ** entryBits(level);
}

/** The shortest walk for an IPA width, as KVM chooses it: up to 16 concatenated tables save a level. */
export function rttRootShape(ipaWidth: number): RttRootShape {
  let level = HIGHEST_START_LEVEL;
  while (ipaWidth > entryBits(level) + 9 + MAX_CONCATENATED_BITS) level--;
  return { level, tables: 2 ** Math.max(0, ipaWidth - entryBits(level) - 9) };
}
