import type { Stage1 } from '../mmu/stage1.ts';

const PAGE = 4096;
/** Bit 11 of PAR_EL1 is RES1. */
const RES1 = 1n << 11n;
const F = 1n;
/** With F: a fault of stage 2, in a walk of stage 1 or not. */
const S = 1n << 9n;
const PTW = 1n << 8n;

type Translated = Pick<Stage1, 'status' | 'ipa' | 'attributes' | 'shareability' | 'stage2'>;

/** PAR_EL1 after an address translation instruction (Arm ARM, D24.2.140). */
export function physicalAddress({ status, ipa, attributes, shareability, stage2 }: Translated): bigint {
  if (status >= 0) return RES1 | (stage2 ? S | PTW : 0n) | BigInt(status << 1) | F;
  const page = BigInt(ipa - (ipa % PAGE));
  return (BigInt(attributes) << 56n) | page | RES1 | BigInt(shareability << 7);
}

/** PAR_EL1 for a fault of stage 2 that is not one of a walk. */
export function stage2Fault(status: number): bigint {
  return RES1 | S | BigInt(status << 1) | F;
}
