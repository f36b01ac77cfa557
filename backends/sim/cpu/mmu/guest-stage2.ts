import type { ExceptionLevel } from '../exception-level.ts';
import { Access, FaultStatus, type Translation } from './regime.ts';
import type { IpaTranslation } from './stage2-access.ts';

/** The registers that control stage 2 (Arm ARM, D24.2), in halves of 32 bits. */
export interface Stage2Registers {
  /** Whether stage 2 is on: HCR_EL2.VM or DC. */
  readonly enabled: boolean;
  readonly vtcr: number;
  readonly vttbrLow: number;
  readonly vttbrHigh: number;
  /** HCR_EL2.FWB: memory types of stage 2 hold whatever stage 1 says. */
  readonly forcesWriteBack: boolean;
  /** HCR_EL2.PTW: walks of stage 1 may not go to Device memory. */
  readonly protectsWalks: boolean;
}

const HIGH = 2 ** 32;
const LAST_LEVEL = 3;
const ALL = Access.Read | Access.Write | Access.Execute;
/** VTCR_EL2. */
const Vtcr = { SL0: 6, TG0: 14, PS: 16, HA: 1 << 21, HD: 1 << 22 } as const;
/** log2 of the granule by VTCR_EL2.TG0, whose reserved value stands for 4 KiB. */
const GRANULE_BITS = [12, 16, 14, 12] as const;
/** Level of the first table by VTCR_EL2.SL0; -1 where it is reserved. */
const FIRST_LEVEL = { 12: [2, 1, 0, 3], 14: [3, 2, 1, -1], 16: [3, 2, 1, -1] } as const;
/** Bits of an output address by VTCR_EL2.PS. */
const OUTPUT_BITS = [32, 36, 40, 42, 44, 48, 48, 48] as const;
const TXSZ_MIN = 16;
/** Bits by which concatenated tables enlarge the first. */
const CONCATENATED = 4;

/** Bits 31:0 of a descriptor; S2AP[1] permits writes. */
const Low = { Valid: 1, TableOrPage: 2, Read: 1 << 6, Write: 1 << 7, AccessFlag: 1 << 10 } as const;
/** Bits 63:32: DBM, and XN, whose bit 0 tells EL1 from EL0 (FEAT_XNX). */
const High = { Dbm: 1 << 19, XnShift: 21 } as const;
/** XN: 1 is executable at EL0 only, 3 at EL1 only. */
const EXECUTES_AT = [
  [true, false, false, true],
  [true, true, false, false],
] as const;

/**
 * Stage 2 of a guest that has EL2, on top of the machine's physical memory (Arm ARM, D8.2 and D8.4;
 * AArch64.S2Translate in the pseudocode). Nothing of a walk is kept. `translate` returns this object itself.
 */
export class GuestStage2 implements IpaTranslation, Translation {
  place = -1;
  allowed = 0;
  status = 0;
  stage2 = false;
  guest = false;
  ipa = 0;
  readonly inWalk = false;
  readonly global = true;
  device = false;
  spanBits = 12;
  readonly #words: Uint32Array;
  readonly #memory: IpaTranslation;
  readonly #registers: Stage2Registers;

  /** @param words linear memory @param memory what is at physical addresses */
  constructor(words: Uint32Array, memory: IpaTranslation, registers: Stage2Registers) {
    this.#words = words;
    this.#memory = memory;
    this.#registers = registers;
  }

  translate(ipa: number, access: number, el: ExceptionLevel): Translation {
    this.device = false;
    this.guest = false;
    if (!this.#registers.enabled) return this.#finish(ipa, access, el, ALL);
    this.ipa = ipa;
    this.place = -1;
    this.stage2 = this.guest = true;
    this.allowed = 0;
    this.status = this.#walk(ipa, access, el);
    if (this.status >= 0) return this;
    return this.#finish(this.#output, access, el, this.allowed);
  }

  /** The output address of a walk that did not fault. */
  #output = 0;

  /** The machine's part. @param allowed by stage 2 */
  #finish(address: number, access: number, el: ExceptionLevel, allowed: number): this {
    const { place, status, stage2, allowed: there } = this.#memory.translate(address, access, el);
    this.place = place;
    this.status = status;
    this.stage2 = stage2;
    this.guest = false;
    this.ipa = address;
    this.allowed = allowed & there;
    return this;
  }

  /** @returns the fault status code, or -1 */
  #walk(ipa: number, access: number, el: ExceptionLevel): number {
    const { vtcr, vttbrLow, vttbrHigh } = this.#registers;
    const granule = GRANULE_BITS[(vtcr >>> Vtcr.TG0) & 3] ?? 12;
    const stride = granule - 3;
    const first = FIRST_LEVEL[granule][(vtcr >>> Vtcr.SL0) & 3] ?? -1;
    const inputBits = 64 - Math.max(vtcr & 63, TXSZ_MIN);
    const firstBits = inputBits - granule - stride * (LAST_LEVEL - first);
    const sized = first >= 0 && firstBits >= 1 && firstBits <= stride + CONCATENATED;
    if (!sized || ipa >= 2 ** inputBits) return FaultStatus.Translation;
    const limit = 2 ** (OUTPUT_BITS[(vtcr >>> Vtcr.PS) & 7] ?? 48);
    let table = address(vttbrLow, vttbrHigh);
    table -= table % 2 ** (firstBits + 3);
    if (table >= limit) return FaultStatus.AddressSize;
    for (let level = first; ; level += 1) {
      const shift = granule + stride * (LAST_LEVEL - level);
      const entries = 2 ** (level === first ? firstBits : stride);
      const at = table + (Math.floor(ipa / 2 ** shift) % entries) * 8;
      const { place } = this.#memory.translate(at, Access.Read, 1);
      if (place < 0) return FaultStatus.ExternalInWalk + level;
      const low = this.#words[place >>> 2] ?? 0;
      const high = this.#words[(place >>> 2) + 1] ?? 0;
      const pointsOn = (low & Low.TableOrPage) !== 0;
      if ((low & Low.Valid) === 0) return FaultStatus.Translation + level;
      const output = address(low, high);
      if (pointsOn && level < LAST_LEVEL) {
        table = output - (output % 2 ** granule);
        if (table >= limit) return FaultStatus.AddressSize + level;
        continue;
      }
      const isLeaf = level === LAST_LEVEL ? pointsOn : level === 2 || (level === 1 && granule === 12);
      if (!isLeaf) return FaultStatus.Translation + level;
      const span = 2 ** shift;
      const base = output - (output % span);
      if (base >= limit) return FaultStatus.AddressSize + level;
      this.#output = base + (ipa % span);
      this.spanBits = shift;
      return this.#permit(place, low, high, level, access, el);
    }
  }

  /** Takes the last descriptor, and updates it where hardware does. @returns as of `#walk` */
  #permit(place: number, low: number, high: number, level: number, access: number, el: ExceptionLevel): number {
    const { vtcr, forcesWriteBack, protectsWalks } = this.#registers;
    const setsFlag = (vtcr & Vtcr.HA) !== 0;
    const old = (low & Low.AccessFlag) === 0;
    if (old && !setsFlag) return FaultStatus.AccessFlag + level;
    const write = (access & Access.Write) !== 0;
    const clean = setsFlag && (vtcr & Vtcr.HD) !== 0 && (high & High.Dbm) !== 0 && (low & Low.Write) === 0;
    const executes = EXECUTES_AT[el === 0 ? 1 : 0][(high >>> High.XnShift) & 3] === true;
    this.allowed =
      ((low & Low.Read) !== 0 ? Access.Read : 0) |
      ((low & Low.Write) !== 0 || clean ? Access.Write : 0) |
      (executes ? Access.Execute : 0);
    const wanted = access & ALL;
    const attributes = (low >>> 2) & 15;
    this.device = forcesWriteBack ? (attributes & 4) === 0 : attributes >>> 2 === 0;
    const permitted = (this.allowed & wanted) === wanted;
    const guarded = protectsWalks && this.device && (access & Access.TableWalk) !== 0;
    if (!permitted || guarded) return FaultStatus.Permission + level;
    if ((access & Access.Speculative) === 0 && (old || (clean && write))) {
      this.#words[place >>> 2] = low | Low.AccessFlag | (clean && write ? Low.Write : 0);
    }
    // A page that is clean must be noted to be dirty before the first write.
    if (clean && !write) this.allowed &= ~Access.Write;
    return -1;
  }
}

/** Bits 47:12 of a descriptor as an address, or 47:4 of VTTBR_EL2. */
function address(low: number, high: number): number {
  return (high & 0xffff) * HIGH + ((low & ~15) >>> 0);
}
