/** Limits of TCR_EL1.TxSZ with FEAT_TTST, and without FEAT_LVA and FEAT_LPA2; the maximum is 47 for 64 KiB granules. */
const TXSZ = { min: 16, max: 48 } as const;
const GRANULE_64K = 16;
const EPD = [1 << 7, 1 << 23] as const;
/** Bits of TCR_EL1 in 63:32; HPD1 and E0PD1 are the next bits. */
const High = { HA: 1 << 7, HD: 1 << 8, HPD0: 1 << 9, E0PD0: 1 << 23 } as const;
/** log2 of the granule by TCR_EL1.TG0 and TG1; the reserved values stand for 4 KiB. */
const GRANULE_BITS = [
  [12, 16, 14, 12],
  [12, 14, 12, 16],
] as const;
/** Bits of an output address by TCR_EL1.IPS: no more than ID_AA64MMFR0_EL1.PARange has. */
const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 48, 48] as const;
export const LAST_LEVEL = 3;
/** Levels that a walk has at most. */
const LEVELS = LAST_LEVEL + 1;

/** What TCR_EL1 says of the half of the address space that TTBR0_EL1 or TTBR1_EL1 maps (Arm ARM, D24.2.192). */
export interface HalfControl {
  /** Whether walks are enabled, and the size of the half is one that there is. */
  readonly valid: boolean;
  /** Size in bytes of the half. */
  readonly inputSize: number;
  /** log2 of the granule. */
  readonly granule: number;
  /** Level of the first table, and its size in bytes. */
  readonly firstLevel: number;
  readonly tableBytes: number;
  /** By level: log2 of the bytes that a descriptor stands for, and the number of descriptors of a table. */
  readonly shifts: readonly number[];
  readonly lengths: readonly number[];
  /** Whether permissions of tables are ignored. */
  readonly flat: boolean;
  /** Whether EL0 has no access (FEAT_E0PD). */
  readonly noEl0: boolean;
}

/** TCR_EL1, taken apart once for each of its values. */
export class Stage1Control {
  /** Output addresses from here on are too large. */
  outputLimit = 0;
  /** Whether hardware sets the access flag, and notes writes in the descriptor (FEAT_HAFDBS). */
  setsAccessFlag = false;
  setsDirtyState = false;
  #low = -1;
  #high = -1;
  #halves: [HalfControl, HalfControl] | undefined;

  /** Of bits of TCR_EL1, the half for TTBR0_EL1 or TTBR1_EL1. */
  of(half: 0 | 1, low: number, high: number): HalfControl {
    if (this.#halves === undefined || low !== this.#low || high !== this.#high) {
      this.#low = low;
      this.#high = high;
      this.outputLimit = 2 ** (OUTPUT_BITS[high & 7] ?? 48);
      this.setsAccessFlag = (high & High.HA) !== 0;
      this.setsDirtyState = this.setsAccessFlag && (high & High.HD) !== 0;
      this.#halves = [controlOf(0, low, high), controlOf(1, low, high)];
    }
    return this.#halves[half];
  }
}

function controlOf(half: 0 | 1, low: number, high: number): HalfControl {
  const size = (low >>> (16 * half)) & 63;
  const granule = GRANULE_BITS[half][(half === 0 ? low >>> 14 : low >>> 30) & 3] ?? 12;
  // A size beyond the limits may fault as well, and does on other implementations (Arm ARM, D8.2.2).
  const max = granule === GRANULE_64K ? TXSZ.max - 1 : TXSZ.max;
  const valid = (low & EPD[half]) === 0 && size >= TXSZ.min && size <= max;
  const inputBits = 64 - size;
  const stride = granule - 3;
  const levels = Math.ceil((inputBits - granule) / stride);
  const firstLevel = LEVELS - levels;
  const firstBits = inputBits - granule - stride * (levels - 1);
  return {
    valid,
    inputSize: 2 ** inputBits,
    granule,
    firstLevel,
    tableBytes: 2 ** (firstBits + 3),
    shifts: Array.from({ length: LEVELS }, (_, level) => granule + stride * (LAST_LEVEL - level)),
    lengths: Array.from({ length: LEVELS }, (_, level) => 2 ** (level === firstLevel ? firstBits : stride)),
    flat: (high & (High.HPD0 << half)) !== 0,
    noEl0: (high & (High.E0PD0 << half)) !== 0,
  };
}
