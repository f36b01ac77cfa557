import { COUNTER_FREQUENCY } from './generic-timer.ts';
import { encodeSysreg as e, sysreg } from './system-registers.ts';

const NO_INTERRUPT = 1023n;

/** CCSIDR_EL1 by CSSELR_EL1: sets and ways less one, and 64-byte lines, of what CLIDR_EL1 lists. */
const cacheSizes = new Map<bigint, bigint>([
  [0n, 0x1f_e01an],
  [1n, 0x1f_e01an],
  [2n, 0x7f_e07an],
]);

/** @param selected CSSELR_EL1 @returns zero for a cache that there is not, where the architecture leaves the value open */
export function cacheSizeId(selected: bigint): bigint {
  return cacheSizes.get(selected & 0xfn) ?? 0n;
}

/**
 * Values of read-only registers: an AEM-like PE of Armv8.1 with the extensions that the engine has, 48-bit physical addresses
 * and nothing that a realm's RMM would hide. Identification registers that are not listed read as zero.
 */
const values = new Map<number, bigint>([
  // MIDR_EL1 of Arm's Architecture Envelope Models, as FVP has it.
  [sysreg.MIDR_EL1, 0x410f_d0f0n],
  [sysreg.REVIDR_EL1, 0n],
  // 64-byte cache lines, VIPT/PIPT as FVP tells; IDC and DIC: caches need no maintenance for coherency with instructions.
  [sysreg.CTR_EL0, 0xb444_c004n],
  // DC ZVA writes 64 bytes.
  [sysreg.DCZID_EL0, 4n],
  [sysreg.CNTFRQ_EL0, COUNTER_FREQUENCY],
  [sysreg.ISR_EL1, 0n],
  [sysreg.OSLSR_EL1, 0x8n],
  // Two levels: separate caches of 64 KiB, then a unified one of 1 MiB, which is the point of coherency.
  [sysreg.CLIDR_EL1, 0x0a20_0023n],
  // Nothing is pending or active: the special INTID, and the idle priority.
  [sysreg.ICC_IAR0_EL1, NO_INTERRUPT],
  [sysreg.ICC_IAR1_EL1, NO_INTERRUPT],
  [sysreg.ICC_HPPIR0_EL1, NO_INTERRUPT],
  [sysreg.ICC_HPPIR1_EL1, NO_INTERRUPT],
  [sysreg.ICC_RPR_EL1, 0xffn],
  // SRE, DFB, DIB: system registers are the only interface.
  [sysreg.ICC_SRE_EL1, 7n],
  // ID_AA64PFR0_EL1: EL0 and EL1 in AArch64 only, FP and Advanced SIMD without half precision; GIC system registers.
  [e(3, 0, 0, 4, 0), 0x0100_0011n],
  // ID_AA64DFR0_EL1: Armv8 debug.
  [e(3, 0, 0, 5, 0), 0x6n],
  // ID_AA64ISAR0_EL1: Atomic = FEAT_LSE, CRC32; TS = FEAT_FlagM.
  [e(3, 0, 0, 6, 0), (1n << 52n) | (2n << 20n) | (1n << 16n)],
  // ID_AA64ISAR1_EL1: LRCPC.
  [e(3, 0, 0, 6, 1), 1n << 20n],
  // ID_AA64MMFR0_EL1: PARange 48 bits, 4 KiB granules only.
  [e(3, 0, 0, 7, 0), 0x0f00_0005n],
]);

/** op0 = 3, op1 = 0, CRn = 0, CRm = 0 to 7: the identification space, where unallocated registers read as zero. */
function isIdentification(encoding: number): boolean {
  return encoding >= e(3, 0, 0, 1, 0) && encoding <= e(3, 0, 0, 7, 7);
}

export function readOnlyRegister(encoding: number): bigint | undefined {
  return values.get(encoding) ?? (isIdentification(encoding) ? 0n : undefined);
}
