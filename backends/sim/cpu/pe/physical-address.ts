import type { Stage1 } from '../mmu/stage1.ts';

const PAGE = 4096;
/** Bit 11 of PAR_EL1 is RES1. */
const RES1 = 1n << 11n;
const F = 1n;

/** PAR_EL1 after an address translation instruction (Arm ARM, D24.2.140). */
export function physicalAddress({ status, ipa, attributes, shareability }: Stage1): bigint {
  if (status >= 0) return RES1 | BigInt(status << 1) | F;
  const page = BigInt(ipa - (ipa % PAGE));
  return (BigInt(attributes) << 56n) | page | RES1 | BigInt(shareability << 7);
}
