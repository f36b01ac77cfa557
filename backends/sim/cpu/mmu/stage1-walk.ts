import { Access, FaultStatus } from './regime.ts';

/** The registers that control stage 1 of the EL1&0 regime (Arm ARM, D24.2), in halves of 32 bits. */
export interface Stage1Registers {
  readonly sctlr: number;
  readonly tcrLow: number;
  readonly tcrHigh: number;
  /** @param half 0 for TTBR0_EL1, 1 for TTBR1_EL1 */
  ttbrLow(half: 0 | 1): number;
  ttbrHigh(half: 0 | 1): number;
  /** MAIR_EL1.Attr<n>. */
  mair(index: number): number;
  /** Whether PSTATE.PAN is set. */
  readonly pan: boolean;
}

/** Memory of translation tables, by intermediate physical address. */
export interface TableMemory {
  /**
   * Reads a descriptor into `low` and `high`.
   *
   * @param ipa a multiple of 8 below 2^48
   * @returns false if stage 2 faults
   */
  read(ipa: number): boolean;
  /** Bits 31:0 and 63:32 of the descriptor. */
  readonly low: number;
  readonly high: number;
}

/** Bits of SCTLR_EL1. */
export const Sctlr = { M: 1, A: 1 << 1, nAA: 1 << 6, WXN: 1 << 19 } as const;
/** Limits of TCR_EL1.TxSZ without FEAT_LVA, FEAT_LPA2 and FEAT_TTST. */
const TXSZ = { min: 16, max: 39 } as const;
/** Bits 31:0 of a descriptor: AP[1] permits accesses at EL0, AP[2] forbids writes. */
const Low = { Valid: 1, TableOrPage: 2, User: 1 << 6, ReadOnly: 1 << 7, AccessFlag: 1 << 10 } as const;
/** Bits 63:32 of a descriptor, as 31:0. Those of a table hold for everything below it. */
const High = {
  Guarded: 1 << 18,
  Pxn: 1 << 21,
  Uxn: 1 << 22,
  PxnTable: 1 << 27,
  UxnTable: 1 << 28,
  NoUserTable: 1 << 29,
  ReadOnlyTable: 1 << 30,
} as const;
/** TCR_EL1.HPD0, in bits 63:32; HPD1 is the next. */
const HPD0 = 1 << 9;
const EPD = [1 << 7, 1 << 23] as const;
/** log2 of the granule by TCR_EL1.TG0 and TG1; the reserved values stand for 4 KiB. */
const GRANULE_BITS = [
  [12, 16, 14, 12],
  [12, 14, 12, 16],
] as const;
/** Bits of an output address by TCR_EL1.IPS: no more than ID_AA64MMFR0_EL1.PARange has. */
const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 48, 48] as const;
const LAST_LEVEL = 3;
const HIGH = 2 ** 32;

/**
 * A stage 1 translation table walk in VMSAv8-64, of addresses of up to 48 bits (Arm ARM, D8.2 to D8.4;
 * AArch64.S1Translate in the pseudocode). The contiguous hint is ignored, and the access flag is the guest's to set.
 */
export class Stage1Walk {
  /** The fault status code with the level, or -1: then the fields below are valid. */
  status = -1;
  /** The output address; for a fault of stage 2, the address of the descriptor. */
  ipa = 0;
  /** Whether the fault is one of stage 2, which `TableMemory` knows. */
  stage2 = false;
  /** Level of the last descriptor. */
  level = 0;
  /** What EL0 and EL1 may do, as bits of `Access`. PSTATE.PAN does not count here. */
  el0 = 0;
  el1 = 0;
  /** AttrIndx and SH of the descriptor. */
  attributeIndex = 0;
  shareability = 0;
  /** GP of the descriptor. */
  guarded = false;
  readonly #registers: Stage1Registers;
  readonly #tables: TableMemory;

  constructor(registers: Stage1Registers, tables: TableMemory) {
    this.#registers = registers;
    this.#tables = tables;
  }

  /** @param va a canonical address, without a tag */
  walk(va: number): void {
    this.stage2 = false;
    const { tcrLow, tcrHigh } = this.#registers;
    const half = va < 0 ? 1 : 0;
    const size = (half === 0 ? tcrLow : tcrLow >>> 16) & 63;
    const inputBits = 64 - size;
    const input = half === 0 ? va : va + 2 ** inputBits;
    const inside = input >= 0 && input < 2 ** inputBits;
    const enabled = (tcrLow & EPD[half]) === 0;
    // A size beyond the limits may fault as well, and does on other implementations (Arm ARM, D8.2.2).
    if (!inside || !enabled || size < TXSZ.min || size > TXSZ.max) {
      this.status = FaultStatus.Translation;
      return;
    }
    const outputLimit = 2 ** (OUTPUT_BITS[tcrHigh & 7] ?? 48);
    const granule = GRANULE_BITS[half][(half === 0 ? tcrLow >>> 14 : tcrLow >>> 30) & 3] ?? 12;
    const stride = granule - 3;
    const levels = Math.ceil((inputBits - granule) / stride);
    const first = LAST_LEVEL + 1 - levels;
    const firstBits = inputBits - granule - stride * (levels - 1);
    const tableBytes = 2 ** (firstBits + 3);
    const register = address(this.#registers.ttbrLow(half), this.#registers.ttbrHigh(half));
    let table = register - (register % tableBytes);
    if (table >= outputLimit) {
      this.status = FaultStatus.AddressSize;
      return;
    }
    let inherited = 0;
    for (let level = first, bits = firstBits; ; level += 1, bits = stride) {
      const shift = granule + stride * (LAST_LEVEL - level);
      const at = table + (Math.floor(input / 2 ** shift) % 2 ** bits) * 8;
      if (!this.#tables.read(at)) {
        this.stage2 = true;
        this.ipa = at;
        return;
      }
      const { low, high } = this.#tables;
      const pointsOn = (low & Low.TableOrPage) !== 0;
      const isLeaf = level === LAST_LEVEL || !pointsOn;
      if ((low & Low.Valid) === 0 || (isLeaf && !(pointsOn ? level === LAST_LEVEL : hasBlocks(granule, level)))) {
        this.status = FaultStatus.Translation + level;
        return;
      }
      const span = isLeaf ? 2 ** shift : 2 ** granule;
      const output = address(low, high);
      table = output - (output % span);
      if (table >= outputLimit) {
        this.status = FaultStatus.AddressSize + level;
        return;
      }
      if (isLeaf) {
        this.status = (low & Low.AccessFlag) === 0 ? FaultStatus.AccessFlag + level : -1;
        this.ipa = table + (input % span);
        this.level = level;
        this.attributeIndex = (low >>> 2) & 7;
        this.shareability = (low >>> 8) & 3;
        this.guarded = (high & High.Guarded) !== 0;
        this.#permit(low, high, inherited);
        return;
      }
      if ((tcrHigh & (HPD0 << half)) === 0) inherited |= high;
    }
  }

  /** Direct permissions, limited by those of the tables above (Arm ARM, D8.4.1). */
  #permit(low: number, high: number, tables: number): void {
    const user = (low & Low.User) !== 0 && (tables & High.NoUserTable) === 0;
    const writable = (low & Low.ReadOnly) === 0 && (tables & High.ReadOnlyTable) === 0;
    const uxn = (high & High.Uxn) !== 0 || (tables & High.UxnTable) !== 0;
    const pxn = (high & High.Pxn) !== 0 || (tables & High.PxnTable) !== 0;
    const wxn = (this.#registers.sctlr & Sctlr.WXN) !== 0;
    const write = writable ? Access.Write : 0;
    this.el0 = (user ? Access.Read | write : 0) | (uxn || (wxn && user && writable) ? 0 : Access.Execute);
    // What EL0 may write, EL1 never executes.
    this.el1 = Access.Read | write | (pxn || (writable && (user || wxn)) ? 0 : Access.Execute);
  }
}

/** Bits 47:12 of a descriptor or TTBRn_EL1 as an address; bits 11:4 of the latter too. */
function address(low: number, high: number): number {
  return (high & 0xffff) * HIGH + ((low & ~15) >>> 0);
}

/** Whether a level may have block descriptors, without FEAT_LPA and FEAT_LPA2. */
function hasBlocks(granule: number, level: number): boolean {
  return level === 2 || (level === 1 && granule === 12);
}
