/** Offsets of RsiRealmConfig, 4096 bytes that RSI_REALM_CONFIG writes (RMM specification 1.1, B5.4). */
export const RealmConfigLayout = {
  ipaWidth: 0x000,
  /** u8, as HashAlgorithm. The seven bytes that follow are zero. */
  hashAlgorithm: 0x008,
  numAuxPlanes: 0x010,
  gicv3Vtr: 0x018,
  atsPlane: 0x020,
  /** 64 bytes. */
  rpv: 0x200,
} as const;
