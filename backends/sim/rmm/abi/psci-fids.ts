/** Function identifiers of PSCI 1.1 (DEN0022). Those with `64` take 64-bit arguments; both forms are implemented. */
export const Psci = {
  VERSION: 0x8400_0000,
  CPU_SUSPEND: 0x8400_0001,
  CPU_SUSPEND64: 0xc400_0001,
  CPU_OFF: 0x8400_0002,
  CPU_ON: 0x8400_0003,
  CPU_ON64: 0xc400_0003,
  AFFINITY_INFO: 0x8400_0004,
  AFFINITY_INFO64: 0xc400_0004,
  SYSTEM_OFF: 0x8400_0008,
  SYSTEM_RESET: 0x8400_0009,
  FEATURES: 0x8400_000a,
} as const;

/** PSCI return values. */
export const PsciStatus = {
  Success: 0,
  NotSupported: -1,
  InvalidParameters: -2,
  Denied: -3,
  AlreadyOn: -4,
  InvalidAddress: -9,
} as const;

/** AFFINITY_INFO results. */
export const Affinity = { On: 0, Off: 1 } as const;

/** Whether a function number is in a range that belongs to PSCI. */
export function isPsciFunction(fid: number): boolean {
  return (fid >= 0x8400_0000 && fid <= 0x8400_001f) || (fid >= 0xc400_0000 && fid <= 0xc400_001f);
}
