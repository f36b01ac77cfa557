import { readNumber } from '../abi/register-file.ts';

/**
 * The virtual GIC CPU interface that the host and planes pass to each other: ICH_HCR_EL2 and the list registers. No
 * interrupt is delivered to a guest yet; the state is checked, tracked by owner and reported.
 */

/** Implemented list registers (ICH_VTR_EL2.ListRegs + 1); the ABI has room for 16. */
export const GIC_LIST_REGISTERS = 4;
/** ICH_VTR_EL2: 5 bits of priority and preemption, 16 bits of INTID, number of list registers minus one. */
export const GIC_VTR = ((4 << 29) | (4 << 26) | (GIC_LIST_REGISTERS - 1)) >>> 0;
/** 32-bit words of ICH_HCR_EL2 and the list registers. */
export const GIC_WORDS = 2 + GIC_LIST_REGISTERS * 2;
/** Offsets of gicv3_misr and gicv3_vmcr from gicv3_hcr. */
const MISR_OFFSET = 0x88;
const VMCR_OFFSET = 0x90;

/** Bits of ICH_HCR_EL2 that the host may set: UIE, LRENPIE, NPIE, VGrp0EIE … VGrp1DIE, TDIR. */
const HCR_HOST_MASK = 0x40fe;
/** ICH_HCR_EL2.EOIcount, which the host may also read. */
const HCR_EOI_COUNT = 0xf800_0000;

/** Bits of ICH_HCR_EL2 that enable a maintenance interrupt. */
const Hcr = {
  UIE: 1 << 1,
  LRENPIE: 1 << 2,
  NPIE: 1 << 3,
  VGrp0DIE: 1 << 5,
  VGrp1DIE: 1 << 7,
} as const;
/** Bits of ICH_MISR_EL2: the maintenance interrupts that are asserted. */
const Misr = { EOI: 1 << 0, U: 1 << 1, LRENP: 1 << 2, NP: 1 << 3, VGrp0D: 1 << 5, VGrp1D: 1 << 7 } as const;

/**
 * ICH_VMCR_EL2 of a virtual CPU interface that no guest has used: both groups disabled, VFIQEn, the binary points at
 * their minima for 5 bits of preemption.
 */
const VMCR_RESET = (2 << 21) | (3 << 18) | (1 << 3);

/** Bits 63:32 of a list register. */
const LR_HW = 1 << 29;
const LR_PENDING = 1 << 30;
const LR_STATE = 3 << 30;
const LR_PRIORITY_UNIMPLEMENTED = 0x7 << 16;
/** Bit 41: end of interrupt raises a maintenance interrupt. */
const LR_EOI = 1 << 9;
/** pINTID, bits 44:32, except EOI. */
const LR_PINTID_RESERVED = 0x1fff & ~LR_EOI;
/** State, HW, Group, the implemented bits of Priority, and pINTID; the rest is RES0. */
const LR_HIGH_MASK = (0xf0f8_0000 | 0x1fff) >>> 0;
const RESERVED_INTID_FIRST = 1020;
const LPI_FIRST = 8192;
const INTID_LIMIT = 1 << 16;

/** Whether the host's GIC input is valid (RMM specification 1.0, A6.1). @param offset of gicv3_hcr, then the LRs */
export function isValidGicInput(view: DataView, offset: number): boolean {
  const hcr = readNumber(view, offset);
  if (hcr < 0 || hcr > HCR_HOST_MASK || (hcr & ~HCR_HOST_MASK) !== 0) return false;
  const seen = new Set<number>();
  for (let n = 0; n < GIC_LIST_REGISTERS; n++) {
    const intid = view.getUint32(offset + 8 + n * 8, true);
    const high = view.getUint32(offset + 12 + n * 8, true);
    if ((high & LR_STATE) === 0) continue;
    if ((high & (LR_HW | LR_PRIORITY_UNIMPLEMENTED | LR_PINTID_RESERVED)) !== 0) return false;
    if ((intid >= RESERVED_INTID_FIRST && intid < LPI_FIRST) || intid >= INTID_LIMIT) return false;
    if (seen.has(intid)) return false;
    seen.add(intid);
  }
  return true;
}

/**
 * Reads ICH_HCR_EL2 and the list registers, and clears RES0 bits.
 *
 * @param offset of gicv3_hcr, followed by the LRs
 */
export function loadGic(gic: Uint32Array, view: DataView, offset: number): void {
  gic[0] = view.getUint32(offset, true);
  gic[1] = view.getUint32(offset + 4, true);
  for (let word = 2; word < GIC_WORDS; word += 2) {
    gic[word] = view.getUint32(offset + word * 4, true) & (INTID_LIMIT - 1);
    gic[word + 1] = view.getUint32(offset + word * 4 + 4, true) & LR_HIGH_MASK;
  }
}

/**
 * Reports ICH_HCR_EL2, the list registers, ICH_MISR_EL2 and ICH_VMCR_EL2.
 *
 * @param offset of gicv3_hcr in zeroed memory, followed by the others as in RmiRecExit and RsiPlaneExit
 */
export function storeGic(gic: Uint32Array, view: DataView, offset: number): void {
  let used = 0;
  for (let word = 0; word < GIC_WORDS; word++) {
    const value = gic[word] ?? 0;
    if (value === 0) continue;
    used |= value;
    view.setUint32(offset + word * 4, word === 0 ? value & (HCR_HOST_MASK | HCR_EOI_COUNT) : value, true);
  }
  view.setUint32(offset + VMCR_OFFSET, VMCR_RESET, true);
  if (used !== 0) view.setUint32(offset + MISR_OFFSET, maintenance(gic), true);
}

/** ICH_MISR_EL2 (Arm GIC architecture, IHI0069, 12.4.9), with both groups disabled in ICH_VMCR_EL2. */
function maintenance(gic: Uint32Array): number {
  const hcr = gic[0] ?? 0;
  let misr = 0;
  let valid = 0;
  let pending = 0;
  for (let word = 3; word < GIC_WORDS; word += 2) {
    const high = gic[word] ?? 0;
    if ((high & LR_STATE) !== 0) valid += 1;
    else if ((high & (LR_HW | LR_EOI)) === LR_EOI) misr |= Misr.EOI;
    if ((high & LR_STATE) >>> 0 === LR_PENDING) pending += 1;
  }
  if ((hcr & Hcr.UIE) !== 0 && valid <= 1) misr |= Misr.U;
  if ((hcr & Hcr.LRENPIE) !== 0 && (hcr & HCR_EOI_COUNT) !== 0) misr |= Misr.LRENP;
  if ((hcr & Hcr.NPIE) !== 0 && pending === 0) misr |= Misr.NP;
  if ((hcr & Hcr.VGrp0DIE) !== 0) misr |= Misr.VGrp0D;
  if ((hcr & Hcr.VGrp1DIE) !== 0) misr |= Misr.VGrp1D;
  return misr;
}

/** Whether any list register holds a pending interrupt. */
export function hasPendingInterrupt(gic: Uint32Array): boolean {
  for (let n = 0; n < GIC_LIST_REGISTERS; n++) {
    if (((gic[3 + n * 2] ?? 0) & LR_PENDING) !== 0) return true;
  }
  return false;
}
