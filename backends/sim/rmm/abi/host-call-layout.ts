/** Offsets of RsiHostCall, 256 bytes aligned to 256 (RMM specification, B5.4). */
export const HostCallLayout = {
  /** u16. */
  imm: 0x00,
  /** X0 to X30. */
  gprs: 0x08,
  bytes: 0x100,
} as const;
