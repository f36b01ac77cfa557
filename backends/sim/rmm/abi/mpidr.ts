/**
 * The two formats in which an affinity is passed, and the REC index that it stands for: four bits of Aff0, then eight
 * bits each of Aff1 to Aff3. Bits 7:4 of Aff0 are not used.
 */

const AFF0_UNUSED = 0xf0;
const AFFINITIES_0_TO_2 = 0x00ff_ffff;

/** Index of a REC from RmiRecMpidr, with Aff3 in bits 31:24 (RMM specification 1.1, B4.4); -1 if it is malformed. */
export function indexOfRecMpidr(mpidr: number): number {
  if (mpidr < 0 || mpidr > 0xffff_ffff || (mpidr & AFF0_UNUSED) !== 0) return -1;
  return (mpidr & 0xf) + Math.floor(mpidr / 0x100) * 0x10;
}

/**
 * The affinity of a REC in the format of MPIDR_EL1, with Aff3 in bits 39:32.
 *
 * @param mpidr a valid RmiRecMpidr
 */
export function affinityOfRecMpidr(mpidr: number): number {
  return (mpidr & AFFINITIES_0_TO_2) + (mpidr >>> 24) * 2 ** 32;
}

/**
 * Index of a REC from the `target_cpu` of PSCI, in the format of MPIDR_EL1 (DEN0022, 5.1.4); -1 if any bit outside of
 * the affinity fields is set.
 *
 * @param low bits 31:0
 * @param high bits 63:32
 * @param lenient ignores such bits, as TF-RMM does
 */
export function indexOfTarget(low: number, high: number, lenient: boolean): number {
  const stray = (low & (AFF0_UNUSED | ~AFFINITIES_0_TO_2)) !== 0 || high > 0xff;
  if (stray && !lenient) return -1;
  return (low & 0xf) + ((low & AFFINITIES_0_TO_2) >>> 8) * 0x10 + (high & 0xff) * 2 ** 20;
}
