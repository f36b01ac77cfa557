import { BREAKPOINTS, WATCHPOINTS } from './debug.ts';
import { El2Slot } from '../el2/el2-state.ts';
import { extensions, extensionsOfEl2, valueOf } from './extensions.ts';
import { behaves, constant, encodeSysreg as e, type RegisterRow } from './row.ts';

/** CCSIDR_EL1 by CSSELR_EL1, for the caches in CLIDR_EL1: sets and ways minus one, 64-byte lines. */
const cacheSizes = new Map<bigint, bigint>([
  [0n, 0x1f_e01an],
  [1n, 0x1f_e01an],
  [2n, 0x7f_e07an],
]);
const CSSELR_EL1 = e(3, 2, 0, 0, 0);

/** Fields of ID_AA64DFR0_EL1. */
const DEBUG = 0x6n | (BigInt(BREAKPOINTS - 1) << 12n) | (BigInt(WATCHPOINTS - 1) << 20n) | (1n << 28n);
const PMUV3 = 1n << 8n;

/** SCTLR_EL1.UCT: EL0 may read CTR_EL0. */
const UCT = 1 << 15;

/** MIDR_EL1 of Arm's Architecture Envelope Models, as on FVP. */
export const MIDR = 0x410f_d0f0n;
/** MPIDR_EL1. @param affinity its affinity fields */
export function mpidrOf(affinity: number): bigint {
  return 0x8000_0000n | BigInt(affinity);
}

/** A register that has other fields where the PE has EL2. */
function withEl2(encoding: number, value: bigint, fields: Parameters<typeof valueOf>[0]): RegisterRow {
  const more = value | valueOf(fields);
  return behaves(encoding, { read: ({ el2 }) => (el2 === undefined ? value : more) });
}

/**
 * Identification registers: an AEM-like PE of Armv8.1 with the extensions that the engine has, 48-bit physical
 * addresses, and no feature that an RMM would hide from a realm.
 */
export const identificationRegisters = {
  MIDR_EL1: behaves(e(3, 0, 0, 0, 0), {
    read: ({ el, el2 }) => (el === 1 ? el2?.get(El2Slot.VPIDR) : undefined) ?? MIDR,
  }),
  MPIDR_EL1: behaves(e(3, 0, 0, 0, 5), {
    read: ({ el, el2 }, { mpidr }) => (el === 1 ? el2?.get(El2Slot.VMPIDR) : undefined) ?? mpidrOf(mpidr),
  }),
  REVIDR_EL1: constant(e(3, 0, 0, 0, 6), 0n),
  AIDR_EL1: constant(e(3, 1, 0, 0, 7), 0n),
  // 64-byte cache lines, VIPT/PIPT as on FVP; IDC and DIC: caches need no maintenance for coherency with instructions.
  CTR_EL0: constant(e(3, 3, 0, 0, 1), 0xb444_c004n, { readEl: 0, el0: (sctlr) => (sctlr & UCT) !== 0 }),
  // DC ZVA writes 64 bytes.
  DCZID_EL0: constant(e(3, 3, 0, 0, 7), 4n, { readEl: 0 }),
  // For a cache that does not exist the value is UNKNOWN; here it is zero.
  CCSIDR_EL1: behaves(e(3, 1, 0, 0, 0), {
    read: (context) => cacheSizes.get((context.sysreg(CSSELR_EL1) ?? 0n) & 0xfn) ?? 0n,
  }),
  // Two levels: separate caches of 64 KiB, then a unified one of 1 MiB, which is the point of coherency.
  CLIDR_EL1: constant(e(3, 1, 0, 0, 1), 0x0a20_0023n),
  // EL0 and EL1 in AArch64 only, FP and Advanced SIMD with half precision (FEAT_FP16); GIC system registers; DIT.
  // CSV2, CSV3: nothing is executed speculatively.
  ID_AA64PFR0_EL1: withEl2(e(3, 0, 0, 4, 0), 0x1101_0000_0111_0011n, extensionsOfEl2.ID_AA64PFR0_EL1),
  ID_AA64PFR1_EL1: constant(e(3, 0, 0, 4, 1), valueOf(extensions.ID_AA64PFR1_EL1)),
  // Armv8 debug, with breakpoints and watchpoints; PMUv3 if the PE has it.
  ID_AA64DFR0_EL1: behaves(e(3, 0, 0, 5, 0), {
    read: (_context, { pmu }) => DEBUG | (pmu === undefined ? 0n : PMUV3),
  }),
  ID_AA64ISAR0_EL1: constant(e(3, 0, 0, 6, 0), valueOf(extensions.ID_AA64ISAR0_EL1)),
  ID_AA64ISAR1_EL1: constant(e(3, 0, 0, 6, 1), valueOf(extensions.ID_AA64ISAR1_EL1)),
  ID_AA64ISAR2_EL1: constant(e(3, 0, 0, 6, 2), valueOf(extensions.ID_AA64ISAR2_EL1)),
  ID_AA64MMFR0_EL1: constant(e(3, 0, 0, 7, 0), valueOf(extensions.ID_AA64MMFR0_EL1)),
  ID_AA64MMFR1_EL1: withEl2(e(3, 0, 0, 7, 1), valueOf(extensions.ID_AA64MMFR1_EL1), extensionsOfEl2.ID_AA64MMFR1_EL1),
  ID_AA64MMFR2_EL1: withEl2(e(3, 0, 0, 7, 2), valueOf(extensions.ID_AA64MMFR2_EL1), extensionsOfEl2.ID_AA64MMFR2_EL1),
} satisfies Readonly<Record<string, RegisterRow>>;

/**
 * Registers of the identification space that are not listed above read as zero: op0 = 3, op1 = 0, CRn = 0, CRm = 1 to
 * 7.
 */
export const unnamedIdentification: readonly RegisterRow[] = Array.from({ length: 7 * 8 }, (_, n) =>
  constant(e(3, 0, 0, 1 + (n >> 3), n & 7), 0n),
);
