const MASK = 0xffff_ffff_ffff_ffffn;

/**
 * Numbers for RNDR and RNDRRS: the generator SplitMix64 (Steele, Lea, Flood, 2014). Good for tests of software that
 * wants randomness, and no secret.
 */
export function nextRandom(before: bigint): { readonly state: bigint; readonly value: bigint } {
  const state = (before + 0x9e37_79b9_7f4a_7c15n) & MASK;
  const first = ((state ^ (state >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK;
  const second = ((first ^ (first >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK;
  return { state, value: second ^ (second >> 31n) };
}
