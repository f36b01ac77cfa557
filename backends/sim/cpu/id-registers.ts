import { encodeSysreg as e, sysreg } from './sysregs.ts';

/** Counter frequency that CNTFRQ_EL0 tells, in Hz: that of FVP. */
export const COUNTER_FREQUENCY = 100_000_000n;

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
  // ID_AA64PFR0_EL1: EL0 and EL1 in AArch64 only, FP and Advanced SIMD without half precision.
  [e(3, 0, 0, 4, 0), 0x11n],
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
