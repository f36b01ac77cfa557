import { readNumber } from './register-file.ts';

/**
 * The virtual GIC CPU interface as the host and planes hand it to each other: ICH_HCR_EL2 and the list registers. No
 * interrupt is delivered to a guest yet; the state is validated, owned and reported.
 */

/** List registers that are implemented (ICH_VTR_EL2.ListRegs + 1); the ABI has room for 16. */
export const GIC_LIST_REGISTERS = 4;
/** ICH_VTR_EL2: 5 priority and preemption bits, 16 interrupt identifier bits, list registers minus one. */
export const GIC_VTR = ((4 << 29) | (4 << 26) | (GIC_LIST_REGISTERS - 1)) >>> 0;
/** 32-bit words of ICH_HCR_EL2 and the list registers. */
export const GIC_WORDS = 2 + GIC_LIST_REGISTERS * 2;

/** Bits of ICH_HCR_EL2 that the host may set: UIE, LRENPIE, NPIE, VGrp0EIE … VGrp1DIE, TDIR. */
const HCR_HOST_MASK = 0x40fe;
/** ICH_HCR_EL2.EOIcount, which the host may also read. */
const HCR_EOI_COUNT = 0xf800_0000;

/** Words of a list register: bits 63:32. */
const LR_HW = 1 << 29;
const LR_PENDING = 1 << 30;
const LR_STATE = 3 << 30;
const LR_PRIORITY_UNIMPLEMENTED = 0x7 << 16;
/** pINTID 44:32 but for EOI, bit 41. */
const LR_PINTID_RESERVED = 0x1fff & ~(1 << 9);
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

/** @param offset of gicv3_hcr, which the list registers follow, in memory */
export function loadGic(gic: Uint32Array, view: DataView, offset: number): void {
  for (let word = 0; word < GIC_WORDS; word++) gic[word] = view.getUint32(offset + word * 4, true);
}

/** @param offset of gicv3_hcr, which the list registers follow, in memory that is zero there */
export function storeGic(gic: Uint32Array, view: DataView, offset: number): void {
  for (let word = 0; word < GIC_WORDS; word++) {
    const value = gic[word] ?? 0;
    if (value !== 0)
      view.setUint32(offset + word * 4, word === 0 ? value & (HCR_HOST_MASK | HCR_EOI_COUNT) : value, true);
  }
}

/** Whether a list register has an interrupt that waits to be taken. */
export function hasPendingInterrupt(gic: Uint32Array): boolean {
  for (let n = 0; n < GIC_LIST_REGISTERS; n++) {
    if (((gic[3 + n * 2] ?? 0) & LR_PENDING) !== 0) return true;
  }
  return false;
}
